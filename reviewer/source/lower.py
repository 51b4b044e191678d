# SPDX-License-Identifier: GPL-2.0-or-later
"""Lower the syntax tree of one function to a control-flow graph."""

from __future__ import annotations

from tree_sitter import Node

from reviewer.source import cfg
from reviewer.source.evaluate import Expressions
from reviewer.source.expression import constant, root, unwrap
from reviewer.source.graph import WHITE, Jump, Scope, Target, declared_name, named, text_of
from reviewer.source.side import Side
from reviewer.source.types import is_truth, returned_type, type_of_declaration

# What declares a guard for one statement, and the name of its variable (include/linux/cleanup.h).
_SCOPED = frozenset(("scoped_guard", "scoped_cond_guard", "scoped_class"))
_SCOPE = "scope"


class Lowering(Expressions):
    """Adds statements to the graph. Kinds of statements are methods named after the grammar's node types."""

    returns_truth = False

    def statement(self, node: Node) -> None:
        """Add a statement, whatever its kind; what is no statement is evaluated."""
        method = getattr(self, "on_" + node.type, None)
        if method is not None:
            method(node)
        elif node.type.startswith("preproc") or node.type == "ERROR":
            for child in named(node):
                self.statement(child)
        elif node.type not in ("comment", "type_definition", ";"):
            self.expression(node)

    def on_compound_statement(self, node: Node) -> None:
        self.scopes.append(Scope())
        for child in named(node):
            self.statement(child)
        self.undo(self.scopes.pop(), node.end_point[0] + 1)

    def on_expression_statement(self, node: Node) -> None:
        for child in named(node):
            function = child.child_by_field_name("function")
            if function is not None and text_of(function) == "return_ptr":
                self._return(node.start_point[0] + 1, self.value(child))
            else:
                self.expression(child)

    def on_declaration(self, node: Node) -> None:
        for child in named(node):
            if child.type in ("init_declarator", "identifier", "pointer_declarator", "array_declarator"):
                name = declared_name(child)
                self.locals.add(name)
                self.typed(name, node, child)
                value = child.child_by_field_name("value")
                if value is not None:
                    self.assign(name, value, child.start_point[0] + 1)
                self._cleanup_of(node, child, name)

    def typed(self, name: str, declaration: Node, declarator: Node | None) -> None:
        """``name`` is of the type that ``declaration`` gives ``declarator``."""
        found = type_of_declaration(declaration, declarator)
        self.types.setdefault(name, set()).add(found)
        self.truths[name] = not found and self.truths.get(name, True) and is_truth(declaration, declarator)

    def _cleanup_of(self, declaration: Node, declarator: Node, name: str) -> None:
        for offset, function in self.free_functions.items():
            if declaration.start_byte <= offset < declarator.end_byte and self.scopes:
                line = declarator.start_point[0] + 1
                self.scopes[-1].cleanups.append(cfg.Guard(line, "__free:" + function, name, False, name))

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
            for child in named(alternative):
                self.statement(child)
        end = self.new()
        self.edge(after_true, end)
        self.edge(self.current, end)
        self.current = end

    def _scoped(self, node: Node, macro: str, condition: Node, body: Node) -> None:
        line, end, inside = node.start_point[0] + 1, self.new(), self.new()
        arguments = self.argument_texts(condition)
        is_guard = macro in _SCOPED and bool(arguments)
        self.scopes.append(Scope())
        if is_guard:
            name = arguments.pop(1) if macro == "scoped_class" and len(arguments) > 1 else _SCOPE
            given = arguments[2:] if macro == "scoped_cond_guard" else arguments[1:]
            guard = cfg.Guard(line, arguments[0], ",".join(given), True, name)
            self.declared(name)
            self.begin(guard)
            if macro == "scoped_cond_guard" or guard.can_fail:
                inner = range(condition.start_byte, condition.end_byte)
                jump = next((word for at, word in self.side.jumps.items() if at in inner), "")
                follows = arguments[1] if jump.endswith(" ") and len(arguments) > 1 else ""
                self._not_got(guard, jump.strip(), follows, inside, end)
            else:
                self.edge(self.current, inside)
        else:
            self.edge(self.current, inside)
            self.edge(self.current, end)
        self.current = inside
        if not is_guard and macro.startswith("scoped_"):
            self.emit(cfg.Guard(line, macro, ",".join(arguments), True))
        self.targets.append(Target(end, end, len(self.scopes) - 1))
        self.statement(body)
        self.targets.pop()
        self.undo(self.scopes.pop(), body.end_point[0] + 1)
        self.enter(end)

    def _not_got(self, guard: cfg.Guard, jump: str, follows: str, inside: int, end: int) -> None:
        """Where the lock was not got, the statement is not run, and ``jump`` may lead away: ``return`` ``follows``."""
        failed = self.new()
        for target, holds in ((inside, True), (failed, False)):
            self.edge(self.current, target, cfg.Literal(guard.status, "==", 0, holds, guard.line))
        self.current = failed
        scope = self.scopes.pop()
        if jump == "return":
            self._return(guard.line, unwrap(follows))
        elif jump == "goto" and self.current is not None:
            self.jumps.append(Jump(self.current, follows, self.open_scopes()))
        elif jump == "break":
            self._leave_loop(guard.line)
        elif jump == "continue":
            self._go_on(guard.line)
        else:
            self.edge(self.current, end)
        self.scopes.append(scope)

    def on_while_statement(self, node: Node) -> None:
        condition, body = node.child_by_field_name("condition"), node.child_by_field_name("body")
        if condition is None or body is None:
            return
        head, inside, out = self.new(), self.new(), self.new()
        self.enter(head)
        macro = self.side.loops.get(node.start_byte)
        if macro:
            self.emit(cfg.Loop(node.start_point[0] + 1, macro, tuple(self.argument_texts(condition))))
            for child in named(condition):
                self.expression(child)
            self.edge(self.current, inside)
            self.edge(self.current, out)
        else:
            self.condition(condition, inside, out)
        self._loop_body(body, inside, out, head)

    def _loop_body(self, body: Node, inside: int, out: int, again: int) -> None:
        self.current = inside
        self.targets.append(Target(out, again, len(self.scopes)))
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
        self.targets.append(Target(out, None, len(self.scopes)))
        self.scopes.append(Scope())
        self.current = None
        has_default = False
        for child in named(body):
            has_default |= self._case(child, head, value, node.start_point[0] + 1)
        self.undo(self.scopes.pop(), node.end_point[0] + 1)
        self.targets.pop()
        if not has_default:
            self.edge(head, out)
        self.enter(out)

    def _case(self, node: Node, head: int | None, value: str, line: int) -> bool:
        """One statement of the switch at ``line``; whether it is, or holds, the default label."""
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
            self.edge(head, block, cfg.Literal(value, "==", text if known is None else known, True, line))
        self.current = block
        has_default = label is None
        for part in named(node):
            if label is None or part.start_byte != label.start_byte:
                has_default |= self._case(part, head, value, line)
        return has_default

    def on_case_statement(self, node: Node) -> None:
        for child in named(node):
            self.statement(child)

    def on_labeled_statement(self, node: Node) -> None:
        block = self.new()
        self.enter(block)
        label = node.child_by_field_name("label")
        if label is not None:
            self.labels[text_of(label)] = (block, self.open_scopes())
        for child in named(node)[1:]:
            self.statement(child)

    def on_goto_statement(self, node: Node) -> None:
        label = node.child_by_field_name("label")
        if self.current is not None and label is not None:
            self.jumps.append(Jump(self.current, text_of(label), self.open_scopes()))
        self.current = None

    def on_break_statement(self, node: Node) -> None:
        self._leave_loop(node.start_point[0] + 1)

    def _leave_loop(self, line: int) -> None:
        if self.targets:
            self.unwind(self.targets[-1].depth, line)
            self.edge(self.current, self.targets[-1].on_break)
        self.current = None

    def on_continue_statement(self, node: Node) -> None:
        self._go_on(node.start_point[0] + 1)

    def _go_on(self, line: int) -> None:
        for target in reversed(self.targets):
            if target.on_continue is not None:
                self.unwind(target.depth, line)
                self.edge(self.current, target.on_continue)
                break
        self.current = None

    def on_return_statement(self, node: Node) -> None:
        line = node.start_point[0] + 1
        children = named(node)
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
        elif (self.is_logical(inner) and self.has_call(inner)) or (self.returns_truth and self.is_either(inner)):
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


def lower(node: Node, path: str, side: Side, reading: int = 0) -> cfg.Function:
    """The control-flow graph of the ``function_definition`` at ``node``; for ``reading`` see ``cfg.Function``."""
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
    declared = [p for p in named(parameters) if p.type == "parameter_declaration"] if parameters is not None else []
    names = tuple(declared_name(p) for p in declared)
    body_start = body.start_byte if body is not None else node.end_byte
    header = range(node.start_byte - 200, body_start)
    free = {
        at: argument for at, name, argument in side.annotations if name == "__free" and body_start <= at < node.end_byte
    }
    lowering = Lowering(side, free)
    lowering.returns_truth = is_truth(node, inner) and declarator is function_declarator
    end = node.end_point[0] + 1
    for name, parameter in zip(names, declared, strict=True):
        lowering.typed(name, parameter, parameter.child_by_field_name("declarator"))
    if body is not None:
        lowering.statement(body)
    lowering.emit(cfg.Return(end, ""))
    lowering.finish()
    first, last = node.start_point[0] + 1, end
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
        via=side.definers.get(node.start_byte, ""),
        words=tuple(text_of(child) for child in node.children if child.type in ("storage_class_specifier", "inline"))
        + tuple(
            word for at, word in side.words if at in range(node.start_byte - 100, body_start) and _same_header(node, at)
        ),
        annotations=tuple(
            cfg.Annotation(name, argument.translate(WHITE))
            for at, name, argument in side.annotations
            if at in header and at >= node.start_byte and name != "__free"
        ),
        aliases=aliases,
        locals=tuple(sorted(lowering.locals)),
        rt=tuple((start, stop, meaning) for start, stop, meaning in side.arms.rt if start <= last and stop >= first),
        blocks=tuple(
            cfg.Block(tuple(nodes), tuple(edges)) for nodes, edges in zip(lowering.nodes, lowering.edges, strict=True)
        ),
        types={
            name: next(iter(types))
            for name, types in lowering.types.items()
            if name and len(types) == 1 and "" not in types
        },
        returns=returned_type(node),
        reading=reading,
        receivers={name: tuple(sorted(of)) for name, of in sorted(lowering.receivers.items())},
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
