# SPDX-License-Identifier: GPL-2.0-or-later
"""Lower the syntax tree of one function to a control-flow graph."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tree_sitter import Node

from reviewer.source import cfg
from reviewer.source.expression import constant, is_path, root
from reviewer.source.normalise import Side

_WHITE = str.maketrans("", "", " \t\n\r\f\v")
_COMPARISONS = frozenset(("==", "!=", "<", ">", "<=", ">="))
_MIRROR = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
# Macros whose value is that of one of their arguments (include/linux/compiler.h, asm-generic/bug.h).
_TRANSPARENT = frozenset(
    (
        "likely unlikely unlikely_notrace likely_notrace READ_ONCE WARN_ON WARN_ON_ONCE WARN WARN_ONCE "
        "__builtin_expect unrcu_pointer RB_WARN_ON KVM_MMU_WARN_ON SCHED_WARN_ON VM_WARN_ON VM_WARN_ON_ONCE DEBUG_LOCKS_WARN_ON "
        "data_race __READ_ONCE"
    ).split()
)
_TRANSPARENT_SECOND = frozenset(("KVM_BUG_ON drm_WARN_ON drm_WARN_ON_ONCE gt_WARN_ON").split())
_TRAPS = frozenset(("BUG_ON VM_BUG_ON GEM_BUG_ON KVM_MMU_BUG_ON").split())
# Functions that do not come back (their prototypes carry __noreturn).
_NO_RETURN = frozenset(
    (
        "BUG panic do_exit unreachable __builtin_unreachable make_task_dead do_group_exit kthread_exit nmi_panic "
        "kthread_complete_and_exit"
    ).split()
)
_EVALUATED_LATER = re.compile(
    r"_*(?:\w*wait_event\w*|wait_on_bit\w*|read_poll_timeout\w*|readx?_poll_timeout\w*|poll_timeout_us\w*)"
)
_LEAVES = frozenset(
    (
        "identifier number_literal string_literal concatenated_string field_identifier type_descriptor "
        "sizeof_expression char_literal true false null comment"
    ).split()
)


def text_of(node: Node) -> str:
    """The text of ``node`` without white space."""
    return (node.text or b"").decode("latin-1").translate(_WHITE)


def _named(node: Node) -> list[Node]:
    return [child for child in node.named_children if child.type != "comment"]


def declared_name(node: Node | None) -> str:
    """The identifier that a declarator declares, or an empty string."""
    while node is not None:
        if node.type in ("identifier", "field_identifier"):
            return text_of(node)
        inner = node.child_by_field_name("declarator")
        if inner is None:
            inner = next(
                (c for c in node.named_children if c.type.endswith("declarator") or c.type == "identifier"), None
            )
        node = inner
    return ""


@dataclass(slots=True)
class _Scope:
    """A block of C with what has to be undone when it is left, in the order it was acquired."""

    cleanups: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class _Target:
    """Where ``break`` and ``continue`` go, and how many scopes stay open there."""

    on_break: int
    on_continue: int | None
    depth: int


@dataclass(slots=True)
class _Jump:
    block: int
    label: str
    scopes: list[tuple[_Scope, int]]


class Lowering:
    """Builds the graph of one function. Statement kinds are methods named after the grammar's node types."""

    def __init__(self, side: Side, cleanups: dict[int, str]) -> None:
        self.side = side
        self.free_functions = cleanups
        self.nodes: list[list[cfg.AnyNode]] = [[]]
        self.edges: list[list[cfg.Edge]] = [[]]
        self.current: int | None = 0
        self.scopes: list[_Scope] = []
        self.targets: list[_Target] = []
        self.labels: dict[str, tuple[int, list[tuple[_Scope, int]]]] = {}
        self.jumps: list[_Jump] = []
        self.temporaries = 0
        self.assigned: dict[str, tuple[int, str | None]] = {}
        self.locals: set[str] = set()

    # Graph

    def new(self) -> int:
        self.nodes.append([])
        self.edges.append([])
        return len(self.nodes) - 1

    def emit(self, node: cfg.AnyNode) -> None:
        if self.current is not None:
            self.nodes[self.current].append(node)

    def edge(self, source: int | None, target: int, *literals: cfg.Literal) -> None:
        if source is not None:
            self.edges[source].append(cfg.Edge(target, literals))

    def enter(self, block: int) -> None:
        self.edge(self.current, block)
        self.current = block

    def undo(self, scope: _Scope, line: int, keep: int = 0) -> None:
        for cls, argument in reversed(scope.cleanups[keep:]):
            self.emit(cfg.Guard(line, cls, argument, False))

    def unwind(self, depth: int, line: int) -> None:
        for scope in reversed(self.scopes[depth:]):
            self.undo(scope, line)

    def open_scopes(self) -> list[tuple[_Scope, int]]:
        return [(scope, len(scope.cleanups)) for scope in self.scopes]

    def finish(self) -> None:
        """Connect every goto with its label, leaving the scopes in between."""
        for jump in self.jumps:
            if jump.label not in self.labels:
                continue
            target, at_label = self.labels[jump.label]
            self.current = jump.block
            common = 0
            while common < min(len(jump.scopes), len(at_label)) and jump.scopes[common][0] is at_label[common][0]:
                common += 1
            for scope, count in reversed(jump.scopes[common:]):
                for cls, argument in reversed(scope.cleanups[:count]):
                    self.emit(cfg.Guard(0, cls, argument, False))
            if common:
                scope, count = jump.scopes[common - 1]
                for cls, argument in reversed(scope.cleanups[at_label[common - 1][1] : count]):
                    self.emit(cfg.Guard(0, cls, argument, False))
            self.edge(jump.block, target)

    # Statements

    def statement(self, node: Node) -> None:
        method = getattr(self, "on_" + node.type, None)
        if method is not None:
            method(node)
        elif node.type.startswith("preproc") or node.type == "ERROR":
            for child in _named(node):
                self.statement(child)
        elif node.type not in ("comment", "type_definition", ";"):
            self.expression(node)

    def on_compound_statement(self, node: Node) -> None:
        self.scopes.append(_Scope())
        for child in _named(node):
            self.statement(child)
        self.undo(self.scopes.pop(), node.end_point[0] + 1)

    def on_expression_statement(self, node: Node) -> None:
        for child in _named(node):
            self.expression(child)

    def on_declaration(self, node: Node) -> None:
        for child in _named(node):
            if child.type == "init_declarator":
                name = declared_name(child)
                self.locals.add(name)
                value = child.child_by_field_name("value")
                if value is not None:
                    self.assign(name, value, child.start_point[0] + 1)
                self._cleanup_of(node, child, name)
            elif child.type in ("identifier", "pointer_declarator", "array_declarator"):
                name = declared_name(child)
                self.locals.add(name)
                self._cleanup_of(node, child, name)

    def _cleanup_of(self, declaration: Node, declarator: Node, name: str) -> None:
        for offset, function in self.free_functions.items():
            if declaration.start_byte <= offset < declarator.end_byte and self.scopes:
                self.scopes[-1].cleanups.append(("__free:" + function, name))

    def on_if_statement(self, node: Node) -> None:
        condition = node.child_by_field_name("condition")
        consequence = node.child_by_field_name("consequence")
        alternative = node.child_by_field_name("alternative")
        if condition is None or consequence is None:
            return
        macro = self.side.conditionals.get(node.start_byte)
        if macro:
            self._scoped(node, macro, condition, consequence)
            return
        on_true, on_false = self.new(), self.new()
        self.condition(condition, on_true, on_false)
        self.current = on_true
        self.statement(consequence)
        after_true = self.current
        self.current = on_false
        if alternative is not None:
            for child in _named(alternative):
                self.statement(child)
        end = self.new()
        self.edge(after_true, end)
        self.edge(self.current, end)
        self.current = end

    def _scoped(self, node: Node, macro: str, condition: Node, body: Node) -> None:
        line, end, inside = node.start_point[0] + 1, self.new(), self.new()
        arguments = self.argument_texts(condition)
        self.edge(self.current, inside)
        if "guard" not in macro or "cond" in macro or "_try" in arguments[0]:
            self.edge(self.current, end)
        if "cond" in macro and len(arguments) > 1:
            arguments = [arguments[0], *arguments[2:]]
        self.current = inside
        self.scopes.append(_Scope())
        if "guard" in macro and arguments:
            cls, argument = arguments[0], ",".join(arguments[1:])
            self.emit(cfg.Guard(line, cls, argument, True))
            self.scopes[-1].cleanups.append((cls, argument))
        self.targets.append(_Target(end, end, len(self.scopes) - 1))
        self.statement(body)
        self.targets.pop()
        self.undo(self.scopes.pop(), body.end_point[0] + 1)
        self.enter(end)

    def on_while_statement(self, node: Node) -> None:
        condition, body = node.child_by_field_name("condition"), node.child_by_field_name("body")
        if condition is None or body is None:
            return
        head, inside, out = self.new(), self.new(), self.new()
        self.enter(head)
        macro = self.side.loops.get(node.start_byte)
        if macro:
            self.emit(cfg.Loop(node.start_point[0] + 1, macro, tuple(self.argument_texts(condition))))
            for child in _named(condition):
                self.expression(child)
            self.edge(self.current, inside)
            self.edge(self.current, out)
        else:
            self.condition(condition, inside, out)
        self._loop_body(body, inside, out, head)

    def _loop_body(self, body: Node, inside: int, out: int, again: int) -> None:
        self.current = inside
        self.targets.append(_Target(out, again, len(self.scopes)))
        self.statement(body)
        self.targets.pop()
        self.edge(self.current, again)
        self.current = out

    def on_do_statement(self, node: Node) -> None:
        condition, body = node.child_by_field_name("condition"), node.child_by_field_name("body")
        if condition is None or body is None:
            return
        inside, test, out = self.new(), self.new(), self.new()
        self.enter(inside)
        self._loop_body(body, inside, out, test)
        self.current = test
        self.condition(condition, inside, out)
        self.current = out

    def on_for_statement(self, node: Node) -> None:
        body = node.child_by_field_name("body")
        initializer, condition, update = (node.child_by_field_name(f) for f in ("initializer", "condition", "update"))
        if initializer is not None:
            self.statement(initializer)
        head, inside, out, step = self.new(), self.new(), self.new(), self.new()
        self.enter(head)
        if condition is not None:
            self.condition(condition, inside, out)
        else:
            self.edge(self.current, inside)
        if body is not None:
            self._loop_body(body, inside, out, step)
        self.current = step
        if update is not None:
            self.expression(update)
        self.edge(self.current, head)
        self.current = out

    def on_switch_statement(self, node: Node) -> None:
        condition, body = node.child_by_field_name("condition"), node.child_by_field_name("body")
        if condition is None or body is None:
            return
        value = self.value(condition)
        head, out = self.current, self.new()
        self.targets.append(_Target(out, None, len(self.scopes)))
        self.scopes.append(_Scope())
        self.current = None
        has_default = False
        for child in _named(body):
            has_default |= self._case(child, head, value)
        self.undo(self.scopes.pop(), node.end_point[0] + 1)
        self.targets.pop()
        if not has_default:
            self.edge(head, out)
        self.enter(out)

    def _case(self, node: Node, head: int | None, value: str) -> bool:
        """One statement of a switch; whether it is, or holds, the default label."""
        if node.type != "case_statement":
            self.statement(node)
            return False
        label = node.child_by_field_name("value")
        block = self.new()
        self.edge(self.current, block)
        if label is None:
            self.edge(head, block)
        else:
            text = text_of(label)
            known = constant(text)
            self.edge(head, block, cfg.Literal(value, "==", text if known is None else known, True))
        self.current = block
        has_default = label is None
        for part in _named(node):
            if label is None or part.start_byte != label.start_byte:
                has_default |= self._case(part, head, value)
        return has_default

    def on_case_statement(self, node: Node) -> None:
        for child in _named(node):
            self.statement(child)

    def on_labeled_statement(self, node: Node) -> None:
        block = self.new()
        self.enter(block)
        label = node.child_by_field_name("label")
        if label is not None:
            self.labels[text_of(label)] = (block, self.open_scopes())
        for child in _named(node)[1:]:
            self.statement(child)

    def on_goto_statement(self, node: Node) -> None:
        label = node.child_by_field_name("label")
        if self.current is not None and label is not None:
            self.jumps.append(_Jump(self.current, text_of(label), self.open_scopes()))
        self.current = None

    def on_break_statement(self, node: Node) -> None:
        if self.targets:
            self.unwind(self.targets[-1].depth, node.start_point[0] + 1)
            self.edge(self.current, self.targets[-1].on_break)
        self.current = None

    def on_continue_statement(self, node: Node) -> None:
        for target in reversed(self.targets):
            if target.on_continue is not None:
                self.unwind(target.depth, node.start_point[0] + 1)
                self.edge(self.current, target.on_continue)
                break
        self.current = None

    def on_return_statement(self, node: Node) -> None:
        line = node.start_point[0] + 1
        children = _named(node)
        if not children:
            self._return(line, "")
            return
        inner = self.inner(children[0])
        if inner.type == "conditional_expression":
            on_true, on_false = self.new(), self.new()
            condition = inner.child_by_field_name("condition")
            if condition is not None:
                self.condition(condition, on_true, on_false)
            for block, name in ((on_true, "consequence"), (on_false, "alternative")):
                self.current = block
                part = inner.child_by_field_name(name) or condition
                self._return(line, self.value(part) if part is not None else "")
        elif self._is_logical(inner) and self.has_call(inner):
            on_true, on_false = self.new(), self.new()
            self.condition(inner, on_true, on_false)
            for block, value in ((on_true, "1"), (on_false, "0")):
                self.current = block
                self._return(line, value)
        else:
            self._return(line, self.value(inner))

    def _return(self, line: int, value: str) -> None:
        self.unwind(0, line)
        self.emit(cfg.Return(line, value))
        self.current = None

    # Expressions

    @staticmethod
    def operator(node: Node) -> str:
        operator = node.child_by_field_name("operator")
        return text_of(operator) if operator is not None else ""

    def _is_logical(self, node: Node) -> bool:
        return node.type == "binary_expression" and self.operator(node) in ("&&", "||")

    @staticmethod
    def inner(node: Node) -> Node:
        """``node`` without brackets and casts around it."""
        while True:
            children = _named(node)
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

    def has_call(self, node: Node) -> bool:
        return node.type in ("call_expression", "compound_statement") or any(
            self.has_call(c) for c in node.named_children
        )

    def argument_texts(self, condition: Node) -> list[str]:
        out: list[str] = []

        def flatten(node: Node) -> None:
            if node.type == "comma_expression":
                for child in _named(node):
                    flatten(child)
            else:
                out.append(text_of(node))

        flatten(self.inner(condition))
        return out

    def condition(self, node: Node, on_true: int, on_false: int) -> None:
        """Branch on ``node``, evaluating its calls in C's order."""
        node = self.inner(node)
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
                    self._compare(self.value(left), operator, self.value(right), on_true, on_false)
                    return
        if node.type == "call_expression" and (argument := self._transparent(node)) is not None:
            self.condition(argument, on_true, on_false)
            return
        known = constant(text_of(node))
        if known is not None:
            self.edge(self.current, on_true if known else on_false)
        else:
            value = self.value(node)
            self.edge(self.current, on_true, cfg.Literal(value, "!=", 0, True))
            self.edge(self.current, on_false, cfg.Literal(value, "!=", 0, False))
        self.current = None

    def _compare(self, left: str, operator: str, right: str, on_true: int, on_false: int) -> None:
        known = constant(right)
        if known is None and constant(left) is not None:
            left, right, known = right, left, constant(left)
            operator = _MIRROR.get(operator, operator)
        value = right if known is None else known
        self.edge(self.current, on_true, cfg.Literal(left, operator, value, True))
        self.edge(self.current, on_false, cfg.Literal(left, operator, value, False))
        self.current = None

    @staticmethod
    def _transparent(node: Node) -> Node | None:
        """The argument whose value the macro call has, or None where it is an ordinary call."""
        function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if function is None or arguments is None:
            return None
        given = _named(arguments)
        if text_of(function) in _TRANSPARENT and given:
            return given[0]
        if text_of(function) in _TRANSPARENT_SECOND and len(given) > 1:
            return given[1]
        return None

    def value(self, node: Node) -> str:
        """Evaluate ``node``; the text or the temporary that stands for its value."""
        node = self.inner(node)
        if node.type == "call_expression":
            argument = self._transparent(node)
            if argument is not None:
                return self.value(argument)
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
        inner = self.inner(value)
        count, alias = self.assigned.get(target, (0, None))
        self.assigned[target] = (count + 1, alias)
        if inner.type == "call_expression":
            argument = self._transparent(inner)
            if argument is not None:
                self.assigned[target] = (count, alias)
                self.assign(target, argument, line)
            else:
                self.call(inner, target)
            return
        if inner.type == "conditional_expression" or (self._is_logical(inner) and self.has_call(inner)):
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
        elif (node.type == "conditional_expression" or self._is_logical(node)) and self.has_call(node):
            self._branching_expression(node)
        else:
            for child in _named(node):
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
        function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if function is None or arguments is None or self.current is None:
            return
        line = node.start_point[0] + 1
        given = _named(arguments)
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
        if name in _NO_RETURN:
            self.current = None

    def _callee(self, function: Node, given: list[Node], line: int) -> str | None:
        """The name of what is called; None where the call was a guard and has been dealt with."""
        if function.type == "identifier":
            return text_of(function)
        if function.type == "call_expression":
            outer, inner_arguments = function.child_by_field_name("function"), function.child_by_field_name("arguments")
            name = text_of(outer) if outer is not None else ""
            first = (
                text_of(_named(inner_arguments)[0]) if inner_arguments is not None and _named(inner_arguments) else ""
            )
            if name in ("guard", "CLASS") and first:
                argument = ",".join(text_of(given_one) for given_one in given)
                self.emit(cfg.Guard(line, first, argument, True))
                if self.scopes:
                    self.scopes[-1].cleanups.append((first, argument))
                return None
            if name in ("kvm_x86_call", "static_call", "static_call_cond", "kvm_pmu_call") and first:
                return "." + first
            return "?"
        if function.type == "field_expression":
            argument_node = function.child_by_field_name("argument")
            if argument_node is not None:
                self.expression(argument_node)
            field_node = function.child_by_field_name("field")
            return "." + text_of(field_node) if field_node is not None else "?"
        inner = self.inner(function)
        if inner.type == "pointer_expression":
            pointed = inner.child_by_field_name("argument")
            if pointed is not None:
                text = text_of(self.inner(pointed))
                return "." + re.split(r"->|\.", text)[-1]
        return "?"


def lower(node: Node, path: str, side: Side) -> cfg.Function:
    """The control-flow graph of the ``function_definition`` at ``node``."""
    declarator = node.child_by_field_name("declarator")
    body = node.child_by_field_name("body")
    inner = declarator
    function_declarator = None
    while inner is not None and inner.type != "identifier":
        if inner.type == "function_declarator":
            function_declarator = inner
        following = inner.child_by_field_name("declarator")
        if following is None:
            following = next(
                (c for c in inner.named_children if c.type.endswith("declarator") or c.type == "identifier"), None
            )
        inner = following
    parameters = function_declarator.child_by_field_name("parameters") if function_declarator is not None else None
    declared = [p for p in _named(parameters) if p.type == "parameter_declaration"] if parameters is not None else []
    names = tuple(declared_name(p) for p in declared)
    body_start = body.start_byte if body is not None else node.end_byte
    header = range(node.start_byte - 200, body_start)
    free = {
        at: argument for at, name, argument in side.annotations if name == "__free" and body_start <= at < node.end_byte
    }
    lowering = Lowering(side, free)
    end = node.end_point[0] + 1
    if body is not None:
        lowering.statement(body)
    lowering.emit(cfg.Return(end, ""))
    lowering.finish()
    first, last = node.start_point[0] + 1, end
    type_node = node.child_by_field_name("type")
    pointer = declarator is not None and declarator.type == "pointer_declarator"
    aliases = {
        name: value
        for name, (count, value) in lowering.assigned.items()
        if count == 1 and value and name not in names and name in lowering.locals and root(value) != name
    }
    return cfg.Function(
        name=text_of(inner) if inner is not None else "?",
        path=path,
        line=first,
        end=last,
        params=names,
        pointers=tuple(_is_pointer(p) for p in declared),
        static=any(c.type == "storage_class_specifier" and c.text == b"static" for c in node.children),
        returns_value=pointer or type_node is None or text_of(type_node) != "void",
        via=side.definers.get(node.start_byte, ""),
        words=tuple(
            word for at, word in side.words if at in range(node.start_byte - 100, body_start) and _same_header(node, at)
        ),
        annotations=tuple(
            cfg.Annotation(name, argument.translate(_WHITE))
            for at, name, argument in side.annotations
            if at in header and at >= node.start_byte and name != "__free"
        ),
        aliases=aliases,
        locals=tuple(sorted(lowering.locals)),
        rt=tuple((start, stop, meaning) for start, stop, meaning in side.arms.rt if start <= last and stop >= first),
        blocks=tuple(
            cfg.Block(tuple(nodes), tuple(edges)) for nodes, edges in zip(lowering.nodes, lowering.edges, strict=True)
        ),
    )


def _is_pointer(parameter: Node) -> bool:
    declarator = parameter.child_by_field_name("declarator")
    return declarator is not None and declarator.type in (
        "pointer_declarator",
        "array_declarator",
        "function_declarator",
    )


def _same_header(node: Node, at: int) -> bool:
    """Whether the word at ``at`` belongs to this definition: blanked words in front of it lie outside the node."""
    previous = node.prev_sibling
    return at >= node.start_byte or previous is None or at >= previous.end_byte
