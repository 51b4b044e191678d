# SPDX-License-Identifier: GPL-2.0-or-later
"""Expressions of C as branches, calls and assignments in C's order of evaluation."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod

from tree_sitter import Node

from reviewer.source import cfg
from reviewer.source.expression import constant, is_path, split_member
from reviewer.source.graph import Graph, named, text_of

_COMPARISONS = frozenset(("==", "!=", "<", ">", "<=", ">="))
_TRUTHS = _COMPARISONS | {"&&", "||"}
_MIRROR = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
# Macros whose value is that of one of their arguments (include/linux/compiler.h, asm-generic/bug.h).
_TRANSPARENT = frozenset(
    (
        "likely unlikely unlikely_notrace likely_notrace READ_ONCE WARN_ON WARN_ON_ONCE WARN WARN_ONCE "
        "__builtin_expect unrcu_pointer RB_WARN_ON KVM_MMU_WARN_ON SCHED_WARN_ON VM_WARN_ON VM_WARN_ON_ONCE "
        "DEBUG_LOCKS_WARN_ON snd_BUG_ON data_race __READ_ONCE"
    ).split()
)
_TRANSPARENT_SECOND = frozenset(("KVM_BUG_ON drm_WARN_ON drm_WARN_ON_ONCE gt_WARN_ON").split())
_WARNS = re.compile("WARN|BUG")
_TRAPS = frozenset(("BUG_ON VM_BUG_ON GEM_BUG_ON KVM_MMU_BUG_ON").split())
# Functions that do not come back (their prototypes carry __noreturn).
_NO_RETURN = frozenset(
    (
        "BUG panic do_exit unreachable __builtin_unreachable make_task_dead do_group_exit kthread_exit nmi_panic "
        "kthread_complete_and_exit"
    ).split()
)
# What declares a guard, and what leaves NULL in the variable that it is given (include/linux/cleanup.h).
_GUARDS = frozenset(("guard", "CLASS", "ACQUIRE"))
_GIVES_UP = frozenset(("no_free_ptr", "retain_and_null_ptr", "return_ptr"))
_EVALUATED_LATER = re.compile(
    r"_*(?:\w*wait_event\w*|wait_on_bit\w*|read_poll_timeout\w*|readx?_poll_timeout\w*|poll_timeout_us\w*)"
)
_LEAVES = frozenset(
    (
        "identifier number_literal string_literal concatenated_string field_identifier type_descriptor "
        "sizeof_expression char_literal true false null comment"
    ).split()
)


class Expressions(Graph, ABC):
    """Adds expressions to the graph."""

    @abstractmethod
    def statement(self, node: Node) -> None:
        """Statements inside expressions are left to who knows statements."""

    @staticmethod
    def operator(node: Node) -> str:
        """The operator of an expression; empty where it has none."""
        operator = node.child_by_field_name("operator")
        return text_of(operator) if operator is not None else ""

    def is_logical(self, node: Node) -> bool:
        """Whether ``node`` is a conjunction or disjunction, which need not evaluate its right side."""
        return node.type == "binary_expression" and self.operator(node) in ("&&", "||")

    @staticmethod
    def inner(node: Node) -> Node:
        """``node`` without brackets and casts around it."""
        while True:
            children = named(node)
            if (
                node.type == "parenthesized_expression"
                and len(children) == 1
                and children[0].type != "compound_statement"
            ):
                node = children[0]
            elif node.type == "cast_expression":
                value = node.child_by_field_name("value")
                if value is None:
                    return node
                node = value
            else:
                return node

    @staticmethod
    def has_call(node: Node) -> bool:
        """Whether evaluating ``node`` calls something; no recursion: how deep it nests is its author's choice."""
        waiting = [node]
        while waiting:
            here = waiting.pop()
            if here.type in ("call_expression", "compound_statement"):
                return True
            waiting += here.named_children
        return False

    def argument_texts(self, condition: Node) -> list[str]:
        """The arguments of a macro that was rewritten as the head of a statement."""
        out: list[str] = []

        def flatten(node: Node) -> None:
            if node.type == "comma_expression":
                for child in named(node):
                    flatten(child)
            else:
                out.append(text_of(node))

        flatten(self.inner(condition))
        return out

    def condition(self, node: Node, on_true: int, on_false: int) -> None:
        """Branch on ``node``, evaluating its calls in C's order."""
        node = self.inner(node)
        line = node.start_point[0] + 1
        if self.current is None:
            return
        if node.type == "unary_expression" and self.operator(node) == "!":
            argument = node.child_by_field_name("argument")
            if argument is not None:
                self.condition(argument, on_false, on_true)
                return
        if node.type == "binary_expression":
            left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
            operator = self.operator(node)
            if left is not None and right is not None:
                if operator in ("&&", "||"):
                    middle = self.new()
                    self.condition(left, *((middle, on_false) if operator == "&&" else (on_true, middle)))
                    self.current = middle
                    self.condition(right, on_true, on_false)
                    return
                if operator in _COMPARISONS:
                    self._compare(self.value(left), operator, self.value(right), on_true, on_false, line)
                    return
                if self.is_either(node):
                    self._either(left, right, on_true, on_false)
                    return
        if node.type == "call_expression" and (argument := self._transparent(node)) is not None:
            if _WARNS.search(text_of(node.children[0])):
                warned = self.new()
                self.edge(warned, on_true, cfg.Literal(cfg.WARNED, "!=", 0, True, line))
                on_true = warned
            self.condition(argument, on_true, on_false)
            return
        known = constant(text_of(node))
        if known is not None:
            self.edge(self.current, on_true if known else on_false)
        else:
            value = self.value(node)
            self.edge(self.current, on_true, cfg.Literal(value, "!=", 0, True, line))
            self.edge(self.current, on_false, cfg.Literal(value, "!=", 0, False, line))
        self.current = None

    def _compare(self, left: str, operator: str, right: str, on_true: int, on_false: int, line: int) -> None:
        known = constant(right)
        if known is None and constant(left) is not None:
            left, right, known = right, left, constant(left)
            operator = _MIRROR.get(operator, operator)
        value = right if known is None else known
        self.edge(self.current, on_true, cfg.Literal(left, operator, value, True, line))
        self.edge(self.current, on_false, cfg.Literal(left, operator, value, False, line))
        self.current = None

    def is_either(self, node: Node) -> bool:
        """Whether ``node`` is an exclusive or with a side that is 0 or 1, so that this side alone tells what to ask."""
        if node.type != "binary_expression" or self.operator(node) != "^":
            return False
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        return left is not None and right is not None and (self._is_truth(left) or self._is_truth(right))

    def _is_truth(self, node: Node) -> bool:
        node = self.inner(node)
        return (
            (node.type == "unary_expression" and self.operator(node) == "!")
            or (node.type == "binary_expression" and self.operator(node) in _TRUTHS)
            or self.truths.get(text_of(node), False)
        )

    def _either(self, left: Node, right: Node, on_true: int, on_false: int) -> None:
        """Branch on whether ``left`` and ``right`` differ, of which one is 0 or 1: the other is compared with that."""
        line = left.start_point[0] + 1
        if not self._is_truth(left):
            left, right = right, left
        certain, denied, right = self._is_truth(right), False, self.inner(right)
        while right.type == "unary_expression" and self.operator(right) == "!":
            denied, right = not denied, self.inner(right.named_children[-1])
        value, where_set, where_not = self.value(right), self.new(), self.new()
        self.condition(left, where_set, where_not)
        for block, is_set in ((where_set, True), (where_not, False)):
            for unlike in (True, False):
                target = on_true if unlike ^ denied ^ (certain and is_set) else on_false
                number = int(is_set and not certain)
                self.edge(block, target, cfg.Literal(value, "!=", number, unlike, line))

    @staticmethod
    def _transparent(node: Node) -> Node | None:
        """The argument whose value the macro call has, or None where it is an ordinary call."""
        function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if function is None or arguments is None:
            return None
        given = named(arguments)
        if text_of(function) in _TRANSPARENT and given:
            return given[0]
        if text_of(function) in _TRANSPARENT_SECOND and len(given) > 1:
            return given[1]
        return None

    @staticmethod
    def _guard_status(node: Node) -> str | None:
        """What stands for ``ACQUIRE_ERR(class, &variable)``."""
        function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if function is None or arguments is None or text_of(function) != "ACQUIRE_ERR":
            return None
        given = named(arguments)
        return cfg.guard_status(text_of(given[1]).removeprefix("&")) if len(given) == 2 else None

    def value(self, node: Node) -> str:
        """Evaluate ``node``; the text or the temporary that stands for its value."""
        node = self.inner(node)
        if node.type == "call_expression":
            argument = self._transparent(node)
            if argument is not None:
                return self.value(argument)
            if (status := self._guard_status(node)) is not None:
                return status
            self.temporaries += 1
            result = f"${self.temporaries}"
            self.call(node, result)
            return result
        if node.type == "assignment_expression":
            self.expression(node)
            left = node.child_by_field_name("left")
            return text_of(left) if left is not None else "?"
        self.expression(node)
        return text_of(node)

    def assign(self, target: str, value: Node, line: int) -> None:
        """Evaluate ``value`` into ``target``."""
        inner = self.inner(value)
        count, alias = self.assigned.get(target, (0, None))
        self.assigned[target] = (count + 1, alias)
        if inner.type == "call_expression":
            argument = self._transparent(inner)
            if argument is not None:
                self.assigned[target] = (count, alias)
                self.assign(target, argument, line)
            elif (status := self._guard_status(inner)) is not None:
                self.emit(cfg.Assign(line, target, status))
            else:
                self.call(inner, target)
            return
        decides = self.is_logical(inner) or (inner.type == "binary_expression" and self.operator(inner) in _COMPARISONS)
        if inner.type == "conditional_expression" or (decides and self.has_call(inner)):
            self._assign_branches(target, inner, line)
            return
        self.expression(inner)
        text = text_of(inner)
        self.emit(cfg.Assign(line, target, text))
        if is_path(text):
            self.assigned[target] = (count + 1, text)

    def _assign_branches(self, target: str, node: Node, line: int) -> None:
        on_true, on_false, end = self.new(), self.new(), self.new()
        condition = node.child_by_field_name("condition") if node.type == "conditional_expression" else node
        if condition is None:
            return
        self.condition(condition, on_true, on_false)
        for block, name, known in ((on_true, "consequence", "1"), (on_false, "alternative", "0")):
            self.current = block
            if node.type == "conditional_expression":
                part = node.child_by_field_name(name)
                if part is not None:
                    self.assign(target, part, line)
            else:
                self.emit(cfg.Assign(line, target, known))
            self.edge(self.current, end)
        self.current = end

    def expression(self, node: Node) -> None:
        """Evaluate ``node`` for its calls and assignments."""
        if self.current is None and node.type != "compound_statement":
            return
        if node.type in _LEAVES:
            return
        if node.type == "call_expression":
            self.call(node, None)
        elif node.type == "assignment_expression":
            self._assignment(node)
        elif node.type == "update_expression":
            argument = node.child_by_field_name("argument")
            if argument is not None:
                self._unknown(text_of(argument), node.start_point[0] + 1)
        elif node.type == "compound_statement":
            self.statement(node)
        elif (node.type == "conditional_expression" or self.is_logical(node)) and self.has_call(node):
            self._branching_expression(node)
        else:
            for child in named(node):
                self.expression(child) if not child.type.endswith(
                    "_statement"
                ) and child.type != "declaration" else self.statement(child)

    def _assignment(self, node: Node) -> None:
        left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
        if left is None or right is None:
            return
        if left.type != "identifier":
            self.expression(left)
        line = node.start_point[0] + 1
        if self.operator(node) != "=":
            self.expression(right)
            self._unknown(text_of(left), line)
        else:
            self.assign(text_of(left), right, line)

    def _unknown(self, target: str, line: int) -> None:
        count, alias = self.assigned.get(target, (0, None))
        self.assigned[target] = (count + 2, alias)
        self.emit(cfg.Assign(line, target, "?"))

    def _branching_expression(self, node: Node) -> None:
        on_true, on_false, end = self.new(), self.new(), self.new()
        condition = node.child_by_field_name("condition") if node.type == "conditional_expression" else node
        if condition is None:
            return
        self.condition(condition, on_true, on_false)
        for block, name in ((on_true, "consequence"), (on_false, "alternative")):
            self.current = block
            part = node.child_by_field_name(name) if node.type == "conditional_expression" else None
            if part is not None:
                self.expression(part)
            self.edge(self.current, end)
        self.current = end

    def call(self, node: Node, result: str | None) -> None:
        """Evaluate a call, whose value goes into ``result`` unless that is None."""
        function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if function is None or arguments is None or self.current is None:
            return
        line = node.start_point[0] + 1
        given = named(arguments)
        name = self._callee(function, given, line)
        if name is None:
            return
        texts = []
        for argument in given:
            inner = self.inner(argument)
            texts.append(text_of(inner))
            if not _EVALUATED_LATER.fullmatch(name):
                self.expression(argument)
        if name in _TRAPS and given:
            goes_on = self.new()
            self.condition(given[0], self.new(), goes_on)
            self.current = goes_on
            return
        self.emit(cfg.Call(line, name, tuple(texts), result))
        if name in _GIVES_UP and texts and texts[0].isidentifier():
            self.emit(cfg.Assign(line, texts[0], "NULL"))
        if name in _NO_RETURN:
            self.current = None

    def _callee(self, function: Node, given: list[Node], line: int) -> str | None:
        """The name of what is called; None where the call was a guard and has been dealt with."""
        if function.type == "identifier":
            return text_of(function)
        if function.type == "call_expression":
            outer, inner_arguments = function.child_by_field_name("function"), function.child_by_field_name("arguments")
            name = text_of(outer) if outer is not None else ""
            inside = [text_of(one) for one in named(inner_arguments)] if inner_arguments is not None else []
            first = inside[0] if inside else ""
            if name in _GUARDS and first:
                variable = inside[1] if len(inside) > 1 else ""
                self.declared(variable)
                self.begin(cfg.Guard(line, first, ",".join(text_of(one) for one in given), True, variable))
                return None
            if name in ("kvm_x86_call", "static_call", "static_call_cond", "kvm_pmu_call") and first:
                return "." + first
            return "?"
        if function.type == "field_expression":
            argument_node = function.child_by_field_name("argument")
            if argument_node is not None:
                self.expression(argument_node)
            field_node = function.child_by_field_name("field")
            return self._member_called(text_of(function)) if field_node is not None else "?"
        inner = self.inner(function)
        if inner.type == "pointer_expression":
            pointed = inner.child_by_field_name("argument")
            if pointed is not None:
                return self._member_called(text_of(self.inner(pointed)))
        return "?"

    def _member_called(self, text: str) -> str:
        parts = split_member(text)
        if parts is not None:
            self.receivers.setdefault(parts[1], set()).add(parts[0])
        return "." + re.split(r"->|\.", text)[-1]
