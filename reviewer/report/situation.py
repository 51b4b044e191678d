# SPDX-License-Identifier: GPL-2.0-or-later
"""The context of one place as a tree of text, as data, and as a graph in Graphviz' language."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any, Final

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from reviewer import __version__
from reviewer.context.situation import Below, Forbidden, Situation, Way
from reviewer.model import Kernels, Mark, Step
from reviewer.report.data import FORMAT_VERSION, TOOL_NAME, as_text
from reviewer.report.gutter import meaning, told
from reviewer.report.plain import clean_line, clean_path
from reviewer.report.words import nested
from reviewer.wording import counted

_PROSE: Final = 74  # columns
_WIDEST: Final = 1000
_LABEL: Final = 44
_MOST_BESIDE: Final = 10  # ways side by side; more stand one above the other
_SHORT: Final = 12  # hexadecimal digits of a commit
_NOTHING: Final = "nothing special is known"
_MOST_DOUBTFUL: Final = 6
_MOST_REASONS: Final = 3
_MOST_ALIKE: Final = 8  # ways in the same context
_BEGINS: Final = {
    "callers not known": "its callers are not known",
    "callers not looked at": "by more callers, not looked at",
}
_WORD: Final = {"takes": "Its calls take or wait for", "asserts": "Its calls demand", "does": "Its calls may"}


def situation_to_json(one: Situation) -> str:
    """The context as JSON text of version 1, ending in a line feed."""
    data: dict[str, Any] = {"version": FORMAT_VERSION, "tool": {"name": TOOL_NAME, "version": __version__}}
    return as_text({**data, **asdict(one)})


def render_situation(one: Situation, console: Console) -> None:
    """Print the context as a tree."""
    where = f"{clean_path(one.path)}:{one.line if one.line is not None else one.first}"
    head = Text(f"{clean_line(one.function)}()", style="bold").append(f"  {where}", style="default")
    root = Tree(head.append(f"  in {clean_line(one.commit)[:_SHORT]}", style="dim"), guide_style="dim")
    if one.line is not None:
        root.add(Text(clean_line(one.text) or "(an empty line)", style="cyan"))
    here = root.add(Text("Here: ", style="bold").append(_marks(one.marks)))
    _meanings(here, one.marks or ())
    _ways(root, one)
    for what, found in groupby(one.below, key=lambda below: below.what):
        branch = root.add(Text(_WORD[what], style="bold"))
        for below in found:
            _below(branch, below)
    if one.forbidden:
        _forbidden(root.add(Text("Not allowed here", style="bold")), one.forbidden)
    else:
        root.add(Text("Nothing is known to be forbidden here"))
    width, console.width = console.width, _WIDEST  # a tree is cut at the width; a path is there to be copied
    console.print(root, soft_wrap=True)
    console.width = width
    for note in one.notes:
        console.print(Text(f"Note: {clean_line(note)}"), soft_wrap=True)


def _marks(marks: Sequence[Mark] | None) -> str:
    return "not known" if marks is None else told(marks) or _NOTHING


def _meanings(branch: Tree, marks: Sequence[Mark]) -> None:
    """What the marks mean: of those that hold on some ways only the first, the ways themselves tell the rest."""
    sure = [mark for mark in marks if mark.always]
    others = [mark for mark in marks if not mark.always]
    for mark in (*sure, *others[:_MOST_DOUBTFUL]):
        branch.add(Text(f"{told([mark])}  ").append(meaning([mark]), style="dim"))
    if len(others) > _MOST_DOUBTFUL:
        branch.add(Text(f"and {len(others) - _MOST_DOUBTFUL} more on some ways, told below", style="dim"))


def _ways(root: Tree, one: Situation) -> None:
    """The ways in by the context in which they lead here."""
    by_context: dict[str, list[Way]] = {}
    for way in one.ways:
        by_context.setdefault(_context(way, one.line is not None), []).append(way)
    seen = any(len(way.witness) > 1 for way in one.ways)
    known = f"{counted(len(by_context), 'known context')}; there may be others"
    heading = f"Reached in {known if seen else 'no known context'}"
    branch = root.add(Text(heading, style="bold"))
    for context, ways in by_context.items():
        leaf = branch.add(Text(context)) if seen else branch
        for way in ways[:_MOST_ALIKE]:
            _way(leaf, way)
        if len(ways) > _MOST_ALIKE:
            leaf.add(Text(f"and on {len(ways) - _MOST_ALIKE} more ways; --format json tells all", style="dim"))
    for sentence in one.missing:
        branch.add(Text(clean_line(sentence), style="dim"))


def _context(way: Way, is_line: bool) -> str:
    if not way.known and is_line:
        return "no path of the function leads here on this way"
    return _marks(way.marks if way.known else None)


def _way(leaf: Tree, way: Way) -> None:
    if len(way.witness) == 1:
        leaf.add(Text(_BEGINS.get(way.begin, clean_line(way.begin)), style="dim"))
        return
    rows = [
        ("  " * depth + text, f"{clean_path(step.path)}:{step.line}") for depth, text, step in nested(way.witness[:-1])
    ]
    column = min(max(len(text) for text, _ in rows), 56)
    leaf.add(Text("\n").join(Text(f"{text:<{column}}  ").append(place, style="dim") for text, place in rows))


def _below(branch: Tree, below: Below) -> None:
    maybe = "  (depends on what it is called with)" if below.conditional else ""
    leaf = branch.add(Text(clean_line(below.subject)).append(maybe, style="dim"))
    chain = " > ".join(clean_line(step.text) for step in below.steps)
    last = below.steps[-1] if below.steps else None
    if last is not None:
        leaf.add(Text(f"{chain}  ").append(f"{clean_path(last.path)}:{last.line}", style="dim"))


def _forbidden(branch: Tree, found: Sequence[Forbidden]) -> None:
    """By the rule, which is quoted once."""
    by_rule: dict[tuple[str, str, int], list[Forbidden]] = {}
    for one in found:
        cited = one.citation
        rule = (cited.quote, cited.path, cited.line) if cited is not None else (one.rule, "", 0)
        by_rule.setdefault(rule, []).append(one)
    for (quote, path, line), members in by_rule.items():
        leaf = branch.add(Text("\n").join(_reasons(members)))
        quoted = f"\u201c{clean_line(quote)}\u201d" if path else clean_line(quote)
        leaf.add(Text("\n".join(textwrap.wrap(quoted, _PROSE)), style="italic"))
        if path:
            section = members[0].citation.section if members[0].citation is not None else ""
            where = f"{clean_path(path)}:{line}" + (f", {clean_line(section)}" if section else "")
            leaf.add(Text(where, style="dim"))


def _reasons(found: Sequence[Forbidden]) -> Iterator[Text]:
    """In one line each, all that is forbidden for the same reasons."""
    acts: dict[tuple[str, Kernels, bool, str], list[str]] = {}
    for one in found:
        acts.setdefault((one.check, one.kernels, one.always, one.why), []).append(one.act)
    reasons: dict[tuple[str, Kernels, bool, tuple[str, ...]], list[str]] = {}
    for (check, kernels, always, why), done in acts.items():
        reasons.setdefault((check, kernels, always, tuple(dict.fromkeys(done))), []).append(why)
    for (check, kernels, always, same), whys in reasons.items():
        on_rt = " on PREEMPT_RT" if kernels is Kernels.PREEMPT_RT else ""
        some = "" if always else ", on some ways here"
        why = ", or ".join(map(clean_line, whys[:_MOST_REASONS]))
        others = f", or for {len(whys) - _MOST_REASONS} more reasons" if len(whys) > _MOST_REASONS else ""
        yield Text(f"{', '.join(map(clean_line, same))}{on_rt}: {why}{others}{some}").append(f" [{check}]", style="dim")


# As a graph


def situation_to_dot(one: Situation) -> str:
    """The callers above the place and the locks below it as a directed graph for ``dot``."""
    graph = _Graph()
    name = f"{clean_line(one.function)}()"
    place = f"{clean_path(one.path)}:{one.line or one.first}"
    here = graph.node("here", "\n".join((name, place, *textwrap.wrap(_marks(one.marks), _LABEL))), "bold")
    for way in one.ways:
        _draw_way(graph, way, here)
    for below in one.below:
        if below.what != "does":
            _draw_below(graph, below, here)
    missing = "\n".join(row for sentence in one.missing for row in textwrap.wrap(clean_line(sentence), _PROSE))
    return graph.text(f"{name} {clean_path(one.path)}", missing, across=len(one.ways) > _MOST_BESIDE)


def _draw_way(graph: _Graph, way: Way, here: str) -> None:
    frames: list[Step] = list(way.witness[:-1])
    label = "\n".join(textwrap.wrap(told(way.marks), _LABEL)) if way.known else ""
    if not frames:
        graph.edge(graph.node(way.begin, way.begin, "dashed"), here, label)
        return
    last = ""
    for step in frames:
        entered = step.text.startswith("<-")
        if entered:
            origin = graph.node(
                f"{step.text}{step.path}{step.line}", clean_line(step.text.removeprefix("<- ")), "dashed"
            )
            last = last or origin
        if entered and step is frames[-1]:
            break
        caller = graph.node(f"{step.path}:{step.function}", f"{clean_line(step.function)}()\n{clean_path(step.path)}")
        if last and last != caller:
            graph.edge(last, caller, "")
        last = caller
    graph.edge(last, here, label)


def _draw_below(graph: _Graph, below: Below, here: str) -> None:
    last = here
    for step in below.steps[1:]:
        inner = graph.node(f"{step.path}:{step.function}", f"{clean_line(step.function)}()\n{clean_path(step.path)}")
        if inner != last:
            graph.edge(last, inner, "")
        last = inner
    lock = graph.node(f"lock {below.subject}", clean_line(below.subject), "rounded")
    graph.edge(last, lock, below.what)


class _Graph:
    def __init__(self) -> None:
        self._nodes: dict[str, str] = {}
        self._lines: list[str] = []
        self._edges: dict[tuple[str, str, str], None] = {}

    def node(self, key: str, label: str, style: str = "solid") -> str:
        if key not in self._nodes:
            name = f"n{len(self._nodes)}"
            self._nodes[key] = name
            self._lines.append(f"  {name} [label={_quoted(label)}, style={style}];")
        return self._nodes[key]

    def edge(self, source: str, target: str, label: str) -> None:
        self._edges[source, target, label] = None

    def text(self, title: str, below: str, *, across: bool) -> str:
        edges = [f"  {a} -> {b} [label={_quoted(label)}];" for a, b, label in self._edges]
        direction = "LR" if across else "TB"
        head = [f"digraph {_quoted(title)} {{", f"  rankdir={direction};", '  node [shape=box, fontname="monospace"];']
        head += [f'  label={_quoted(below)}; fontname="monospace"; fontsize=11;'] if below else []
        return "\n".join([*head, '  edge [fontname="monospace", fontsize=10];', *self._lines, *edges, "}"]) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
