# SPDX-License-Identifier: GPL-2.0-or-later
"""The circle of a report as an SVG: well-formed, complete, and nothing of the report acts inside a page."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from reviewer.report.circle import circle_svg
from reviewer.splat.account import account_of
from reviewer.splat.cycle import Arc
from reviewer.splat.meanings import load_meanings
from reviewer.splat.parse import parse
from tests.conftest import ROOT

MEANINGS = load_meanings(ROOT / "checks")
SVG = "{http://www.w3.org/2000/svg}"
ROUND = (Arc("&a->lock", "&b->lock", "f()"), Arc("&b->lock", "&a->lock", "g()", now=True, task="oar/77"))


def drawn(arcs: tuple[Arc, ...]) -> ElementTree.Element:
    return ElementTree.fromstring(circle_svg(arcs))  # noqa: S314 (it is the program that wrote it)


def texts(svg: ElementTree.Element) -> list[str]:
    return ["".join(text.itertext()) for text in svg.iter(f"{SVG}text")]


def test_locks_and_who_takes_them_are_drawn() -> None:
    (splat,) = parse((Path(__file__).parent / "splats" / "lockdep-circular.txt").read_text())
    svg = drawn(account_of(splat, MEANINGS).circle)
    assert texts(svg) == [
        "&harbour->lock",
        "(1) harbour_sweep() took the next, seen before",
        "&boat->lock",
        "(2) boat_float() wants the first now, oar/77",
    ]
    assert len(list(svg.iter(f"{SVG}rect"))) == len(list(svg.iter(f"{SVG}polygon"))) == 2


def test_a_circle_that_is_cut_off_is_not_drawn_closed() -> None:
    svg = drawn(ROUND[:1])
    assert texts(svg) == ["&a->lock", "(1) f() took the next, seen before", "&b->lock"]
    assert not [path for path in svg.iter(f"{SVG}path") if "H" in path.attrib["d"]]
    assert circle_svg(()) == ""


def test_what_is_wanted_now_and_what_is_only_implied_look_different() -> None:
    implied = Arc("&a->lock", "&b->lock", "f()", inferred=True)
    first, second = drawn((implied, ROUND[1])).iter(f"{SVG}path")
    assert "stroke-dasharray" in first.attrib
    assert "stroke-width" in second.attrib


def test_everything_stands_inside_the_picture() -> None:
    long = (Arc("&" + "a" * 300, "&b", "f" * 300 + "()"), Arc("&b", "&" + "a" * 300, "g()", now=True))
    for arcs in (ROUND, ROUND[:1], long):
        svg = drawn(arcs)
        width, height = float(svg.attrib["width"]), float(svg.attrib["height"])
        for text in svg.iter(f"{SVG}text"):
            assert float(text.attrib["x"]) + float(text.attrib["textLength"]) <= width
            assert float(text.attrib["y"]) <= height
        for box in svg.iter(f"{SVG}rect"):
            assert float(box.attrib["x"]) + float(box.attrib["width"]) <= width


def test_names_of_a_report_are_text_and_nothing_else() -> None:
    evil = '"><script>x()</script>&amp;\x1b[31m\u202e\ufffe'
    svg = drawn((Arc(evil, "&b", evil), Arc("&b", evil, "g()", now=True)))
    assert {element.tag for element in svg.iter()} == {
        f"{SVG}{name}" for name in ("svg", "rect", "text", "path", "polygon")
    }
    assert texts(svg)[0] == '"><script>x()</script>&amp;[31m\ufffd'
    assert not [name for element in svg.iter() for name in element.attrib if name in ("id", "style", "href")]
