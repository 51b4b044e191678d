# SPDX-License-Identifier: GPL-2.0-or-later
"""The page: whole, alone, harmless whatever the mail says, and laid out by a real browser."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from reviewer.cli import main
from reviewer.commands.demo import make_example
from reviewer.config import data_dir
from reviewer.model import (
    Address,
    Applied,
    Base,
    Citation,
    Claim,
    Comparison,
    DiffFile,
    DiffHunk,
    DiffLine,
    Excerpt,
    LockOrder,
    Mark,
    Patch,
    PatchReview,
    Review,
    Series,
    Severity,
    Step,
    ThreadKind,
    World,
)
from reviewer.report.orders import orders_svg
from reviewer.report.page import page_of
from reviewer.splat.account import Explained, account_of
from reviewer.splat.cycle import ArcChange
from reviewer.splat.meanings import load_meanings
from reviewer.splat.parse import parse
from tests import repos
from tests.conftest import ROOT
from tests.test_report import COMMIT, FINDING, REVIEW

_EVIL = (
    "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7 * 7 }}{% raw %}&amp;\x1b[31m\u202e</style></title>"
)
_EMPTY = frozenset(("meta", "br", "img", "link", "input", "hr"))


class _Page(HTMLParser):
    """What a browser would make of a page: elements, attributes, text; every element is to be closed where it must."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in _EMPTY:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def values(self, name: str) -> list[str]:
        return [value for _, attribute, value in self.attributes if attribute == name]


def _line(kind: str, old: int | None, new: int | None, text: str, *marks: Mark) -> DiffLine:
    return DiffLine(kind, old, new, text, True, marks)


def _review() -> Review:
    lock = Mark("lock", "raw spinlock b->lock, taken on line 62")
    lines = (
        _line(" ", 62, 62, "\traw_spin_lock(&b->lock);"),
        _line("-", 63, None, "\tring(b);", lock),
        _line("+", None, 63, "\tif (b)", lock, Mark("pre-", "preemption disabled", World.NOT_RT, False)),
        _line("+", None, 64, "\t\tkzalloc(GFP_KERNEL);", lock),
    )
    file = DiffFile(
        FINDING.path, (f"diff --git a/{FINDING.path} b/{FINDING.path}",), (DiffHunk("@@ -62 +62 @@", lines),)
    )
    orders = (LockOrder("bell.lock", "bell.big", "ring", FINDING.path, 64, True),)
    excerpt = Excerpt(FINDING.path, 64, False, 63, ("\tif (b)", "\t\tkzalloc(GFP_KERNEL);"))
    patch = PatchReview(1, "bell: Ring", None, None, Applied.YES, "", (FINDING,), (), (file,), orders, (excerpt,))
    return dataclasses.replace(REVIEW, patches=(patch,))


def _hostile() -> tuple[Review, tuple[Explained, ...]]:
    mark = Mark(_EVIL, _EVIL)
    rows = (_line("+", None, 64, _EVIL, mark), DiffLine(" ", 65, 65, _EVIL, True, (mark,), (mark, mark)))
    file = DiffFile(_EVIL, (_EVIL,), (DiffHunk(_EVIL, rows),))
    step = dataclasses.replace(FINDING.witness[0], path=_EVIL, line=64, function=_EVIL, text=_EVIL)
    finding = dataclasses.replace(
        FINDING,
        path=_EVIL,
        function=_EVIL,
        message=_EVIL,
        question=_EVIL,
        before=_EVIL,
        arch=_EVIL,
        config=(_EVIL,),
        witness=(step,),
        interleaving=((_EVIL, _EVIL),),
        citations=(Citation(_EVIL, _EVIL, 1, _EVIL, COMMIT),),
        severity=Severity.QUESTION,
    )
    excerpt = Excerpt(_EVIL, 64, False, 64, (_EVIL,))
    orders = (LockOrder(_EVIL, "b", _EVIL, _EVIL, 64, True), LockOrder("b", _EVIL, _EVIL, _EVIL, 64, False))
    patch = PatchReview(
        1,
        _EVIL,
        _EVIL,
        _EVIL,
        Applied.THREE_WAY,
        _EVIL,
        (finding,),
        (),
        (file,),
        orders,
        (excerpt,),
        (Claim(_EVIL, _EVIL, Severity.BUG),),
    )
    series = Series(
        ThreadKind.SERIES, _EVIL, _EVIL, 1, Address(_EVIL, _EVIL), (Patch(1, _EVIL, b"", _EVIL),), notes=(_EVIL,)
    )
    splat = (ROOT / "tests" / "splats" / "lockdep-circular.txt").read_text()
    reports = parse(splat.replace("&kvm->slots_lock", "&kvm-><img/src=x>").replace("qemu", "<script>"))
    meanings = load_meanings(data_dir("checks"))
    explained = tuple(
        Explained(
            one,
            account_of(one, meanings),
            Citation(_EVIL, _EVIL, 1, _EVIL, COMMIT),
            (Step(_EVIL, 1, _EVIL, _EVIL),),
            (_EVIL,),
            touched=((f"other {_EVIL}", (_EVIL,)),),
            changes=(ArcChange(1, _EVIL, (_EVIL,), (f"+{_EVIL}",)),),
            claimed=True,
            named=(Step(_EVIL, 1, _EVIL, _EVIL),),
        )
        for one in reports
    )
    assert explained
    return Review(series, Base(COMMIT, _EVIL), (patch,), notes=(_EVIL,)), explained


def test_the_page_stands_alone() -> None:
    text = page_of(_review())
    page = _Page(text)
    assert not {"script", "link", "img", "iframe", "object", "embed", "base", "form"} & set(page.tags)
    assert not [name for _, name, _ in page.attributes if name in ("src", "srcset", "style") or name.startswith("on")]
    assert "url(" not in text
    assert "@import" not in text
    assert [value for value in page.values("href") if not value.startswith("#")] == []


def test_every_link_has_its_target_and_every_id_is_there_once() -> None:
    page = _Page(page_of(_review()))
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    links = {value.removeprefix("#") for value in page.values("href")}
    assert links <= set(ids)
    assert {"p1", "p1-finding1", "p1f1n64"} <= links


def test_the_policy_of_the_page_allows_its_style_and_nothing_else() -> None:
    text = page_of(_review())
    policy = next(value for value in _Page(text).values("content") if "default-src" in value)
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_no_text_of_a_mail_or_tree_becomes_markup() -> None:
    review, splats = _hostile()
    text = page_of(review, splats)
    page = _Page(text)
    assert not {"script", "img", "image"} & set(page.tags)
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert page.tags.count("style") == page.tags.count("title") == 1
    assert not {"\x1b", "\u202e"} & set(text)
    shown = "".join(page.text)
    assert "{{ 7 * 7 }}{% raw %}&amp;" in shown
    assert "<script>alert(1)</script>" in shown
    assert shown.count("alert(1)") > 20


def test_a_report_is_told_with_its_paths_and_what_the_patches_change() -> None:
    (splat,) = parse((ROOT / "tests" / "splats" / "lockdep-circular.txt").read_text())
    account = account_of(splat, load_meanings(data_dir("checks")))
    change = ArcChange(2, "2/3 boat: Float", ("boat_float",), ("-\tmutex_lock(&harbour->lock);",))
    rule = Citation("Documentation/boat.rst", "Locks", 7, "Take the harbour first.", COMMIT)
    place = Step("drivers/boat/float.c", 42, "boat_float", "int boat_float(void)")
    text = page_of(_review(), (Explained(splat, account, rule, (place,), ("worker_thread",), changes=(change,)),))
    shown = " ".join("".join(_Page(text).text).split())
    assert text.count('aria-label="Locks taken in a circle: ') == 1
    assert "The circle" not in shown
    for words in (
        "(2) &harbour->lock wanted while &boat->lock is held, now",
        "boat_float() [boat] called by harbour_open() [boat]",
        "(1) No patch changes a function on this path.",
        "(2) 2/3 boat: Float: boat_float() - mutex_lock(&harbour->lock);",
        "drivers/boat/float.c:42 int boat_float(void)",
        "Not found: worker_thread",
        "Take the harbour first.",
        "Documentation/boat.rst:7",
    ):
        assert words in shown, shown


def test_the_margin_tells_each_change_once_and_keeps_it_for_every_line() -> None:
    text = page_of(_review())
    rows = re.findall(r'<tr class="([^"]*)" id="([^"]*)">\s*<td class="([^"]*)" title="([^"]*)">', text)
    assert [(anchor, "same" in row.split()) for row, anchor, _, _ in rows] == [
        ("p1f1n62", False),
        ("p1f1o63", False),
        ("p1f1n63", False),
        ("p1f1n64", False),
    ]
    assert rows[2][3].endswith("preemption disabled, on some ways or not for certain (not on PREEMPT_RT)")


def test_a_finding_leads_along_its_witness_into_the_patch() -> None:
    text = page_of(_review())
    assert '<a href="#p1f1n64">drivers/misc/bell.c:64</a>' in text
    assert '<a class="ref bug" href="#p1-finding1">' in text
    assert re.search(r'class="here"><b>64</b> \t\tkzalloc\(GFP_KERNEL\);</span>', text)
    assert "The context must be allowed to sleep." in text


def test_what_is_wrong_with_trailers_and_new_since_a_revision_is_told() -> None:
    review = _review()
    claim = Claim("Fixes: 123", "names no commit", Severity.QUESTION, FINDING.citations[0])
    patch = dataclasses.replace(review.patches[0], claims=(claim,))
    since = Comparison(1, "20250310-1@example.org", True, (), (), gone=(FINDING,))
    shown = "".join(_Page(page_of(dataclasses.replace(review, patches=(patch,), comparisons=(since,)))).text)
    assert "Fixes: 123" in shown
    assert "names no commit" in shown
    assert "Since v1, <20250310-1@example.org>" in shown


def test_orders_of_locks_are_drawn() -> None:
    review = _review()
    assert orders_svg(()) == ""
    root = ElementTree.fromstring(orders_svg(review.patches[0].orders))  # noqa: S314
    assert [element.text for element in root if element.tag.endswith("text")] == ["bell.lock", "bell.big"]
    (way,) = (element for element in root if element.tag.endswith("path"))
    assert way.get("stroke-width") == "2.5"


def test_a_circle_of_locks_is_drawn_with_one_way_back() -> None:
    orders = [LockOrder(held, taken, "f", "a.c", 1, False) for held, taken in (("a", "b"), ("b", "c"), ("c", "a"))]
    root = ElementTree.fromstring(orders_svg(orders))  # noqa: S314
    ways = [element for element in root if element.tag.endswith("path")]
    assert [bool(way.get("stroke-dasharray")) for way in ways].count(True) == 1
    tops = {element.get("y") for element in root if element.tag.endswith("rect")}
    assert len(tops) == 3


def _other_tree(folder: Path) -> Path:
    """A repository to which no patch of the example applies."""
    tree = folder / "other"
    repos.make(tree, {"README": "Something else.\n"})
    return tree


def test_the_command_writes_the_page_beside_its_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tree, mail = make_example(tmp_path)
    page = tmp_path / "page.html"
    status = main(["review", str(mail), "--repo", str(tree), "--offline", "--html", str(page)])
    assert status == 1
    said = capsys.readouterr()
    assert "4 bugs" in said.out
    assert f"reviewer: wrote {page}\n" in said.err
    text = page.read_text()
    assert text.count('class="finding') == 4
    assert text.count('<span class="tag bug">2 bugs</span>') == 2
    assert "<strong>4 bugs (1 only on PREEMPT_RT). 3 of 3 patches applied.</strong>" in text
    assert 'class="hunk bare"' not in text
    assert main(["review", str(mail), "--repo", str(_other_tree(tmp_path)), "--offline", "--html", str(page)]) == 3
    text = page.read_text()
    assert "0 of 3 patches applied. All were reviewed from the diff alone.</strong>" in text
    assert 'class="hunk bare"' in text
    assert "stats_lock" in text
    assert sorted(tmp_path.glob(".page*")) == []
    assert main(["check", "HEAD", "--repo", str(tree), "--html", str(tmp_path / "no" / "page.html")]) == 2
    assert "page.html" in capsys.readouterr().err


# In a browser


def _chromium(tmp_path: Path, page: Path, *words: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed")
    profile = tmp_path / f"profile{len(list(tmp_path.iterdir()))}"
    return subprocess.run(
        [
            program,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            "--enable-logging=stderr",
            f"--user-data-dir={profile}",
            *words,
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "HOME": str(tmp_path)},
    )


_MEASURE = """<script>
const wide = document.documentElement.scrollWidth - innerWidth;
const shown = element => getComputedStyle(element).display;
document.title = [wide, getComputedStyle(document.body).backgroundColor, shown(document.querySelector('.hunk td')),
  document.querySelectorAll('details[open] .witness li').length].join('|');
</script></body>"""


@pytest.mark.parametrize(
    ("width", "dark", "cell", "back"),
    [
        (500, False, "block", "rgb(255, 255, 255)"),
        (1280, False, "table-cell", "rgb(255, 255, 255)"),
        (500, True, "block", "rgb(20, 23, 27)"),
    ],
)
def test_a_browser_lays_it_out_for_phones_and_desks(
    tmp_path: Path, width: int, dark: bool, cell: str, back: str
) -> None:
    """A script that the page itself would not let run measures it in a copy without the policy."""
    page = tmp_path / "page.html"
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page_of(_review()))
    page.write_text(text.replace("</body>", _MEASURE))
    scheme = ["--blink-settings=preferredColorScheme=0"] if dark else []
    done = _chromium(tmp_path, page, "--dump-dom", f"--window-size={width},900", *scheme)
    (title,) = re.findall(r"<title>(.*?)</title>", done.stdout)
    wide, colour, display, steps = title.split("|")
    assert int(wide) <= 0, "the page is wider than its window"
    assert (colour, display, steps) == (back, cell, "3")


def test_a_browser_runs_nothing_of_hostile_text_and_finds_no_breach_of_the_policy(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(page_of(*_hostile()))
    picture = tmp_path / "page.png"
    done = _chromium(tmp_path, page, f"--screenshot={picture}", "--window-size=900,900")
    assert "Content Security Policy" not in done.stderr
    assert "CONSOLE" not in done.stderr
    assert picture.read_bytes().startswith(b"\x89PNG")
    dom = _chromium(tmp_path, page, "--dump-dom").stdout
    assert not re.search(r"<(?:script|img)\b", dom)
