# SPDX-License-Identifier: GPL-2.0-or-later
"""A file is read piece by piece: one function says the same whether it is asked for alone or with all others."""

from __future__ import annotations

import pytest

from reviewer.source.cfg import Function, extent_at
from reviewer.source.normalise import rewrite
from reviewer.source.parse import parse
from reviewer.source.preprocess import Arms
from reviewer.source.side import Side

_TEXT = """\
struct pair {
	int a;
}
__packed;

static inline int small(int a) { return helper(a); }

static int
wrapped(struct pair *p)
{
	return small(p->a);
}

SYSCALL_DEFINE1(one, int, fd)
{
	return wrapped(fd);
}

static int FNAME(walk)(struct pair *p)
{
	return small(p->a);
}

DEFINE_IDTENTRY(exc_trap)
{
	small(1);
}

int braces_at_the_margin(int a)
{
if (a) {
	small(a);
}
	return wrapped(0);
}

int kernighan(int a) {
	return small(a);
}

#ifdef CONFIG_PREEMPT_RT
int only_with_rt(void)
{
	return small(4);
}
#endif

int after(int a)
{
	return kernighan(a);
}
"""


def _all(text: str) -> list[Function]:
    return list(parse("kernel/a.c", text.encode()).functions())


def test_every_function_is_found_at_its_line() -> None:
    lines = _TEXT.split("\n")
    found = {function.name: (lines[function.line - 1], lines[function.end - 1]) for function in _all(_TEXT)}
    assert list(found) == [
        "small", "wrapped", "sys_one", "FNAME_walk", "exc_trap", "braces_at_the_margin", "kernighan", "after"
    ]  # fmt: skip
    assert found["wrapped"] == ("static int", "}")
    assert found["exc_trap"] == ("DEFINE_IDTENTRY(exc_trap)", "}")
    assert found["braces_at_the_margin"] == ("int braces_at_the_margin(int a)", "}")
    assert found["after"] == ("int after(int a)", "}")


@pytest.mark.parametrize("function", _all(_TEXT), ids=lambda function: function.name)
def test_a_function_alone_is_what_it_is_among_all(function: Function) -> None:
    assert list(parse("kernel/a.c", _TEXT.encode()).functions(function.name)) == [function]


_RT_LINE = _TEXT.split("\n").index("	return small(4);") + 1


@pytest.mark.parametrize("wanted", [frozenset[int](), frozenset((_RT_LINE,))], ids=["usual", "another arm"])
def test_function_of_a_line_is_the_one_among_all(wanted: frozenset[int]) -> None:
    extents = parse("kernel/a.c", _TEXT.encode(), wanted).extents
    lines = range(len(_TEXT.split("\n")) + 2)
    found = {line: parse("kernel/a.c", _TEXT.encode(), wanted).extent_at(line) for line in lines}
    assert found == {line: extent_at(extents, line) for line in lines}
    assert (found[_RT_LINE] is not None) == bool(wanted)


def test_what_stands_before_a_function_only_moves_it() -> None:
    (alone,) = _all("int f(int a)\n{\n\tspin_lock(&a->lock);\n\treturn g(a);\n}\n")
    below = next(
        f
        for f in _all("int e(void)\n{\n}\n\nint f(int a)\n{\n\tspin_lock(&a->lock);\n\treturn g(a);\n}\n")
        if f.name == "f"
    )
    assert [node.line + 4 for node in alone.nodes()] == [node.line for node in below.nodes()]


def test_a_function_that_cannot_be_read_leaves_the_next_one_alone() -> None:
    parsed = parse(
        "kernel/a.c", b"int f(int a)\n{\n\tif (a ~~ b) ) {\n\t\tg(;\n}\n\nint h(int a)\n{\n\treturn g(a);\n}\n"
    )
    assert [(extent.line, extent.readable) for extent in parsed.extents if extent.name == "h"] == [(7, True)]


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The pieces that are read from now on."""
    texts: list[bytes] = []

    def noted(text: bytes, arms: Arms) -> tuple[bytes, Side]:
        texts.append(text)
        return rewrite(text, arms)

    monkeypatch.setattr("reviewer.source.parse.rewrite", noted)
    return texts


def test_only_the_pieces_that_may_define_a_name_are_read(texts: list[bytes]) -> None:
    assert [function.name for function in parse("kernel/a.c", _TEXT.encode()).functions("after")] == ["after"]
    assert len(texts) == 1


def test_only_the_pieces_that_a_line_is_part_of_are_read(texts: list[bytes]) -> None:
    extent = parse("kernel/a.c", _TEXT.encode()).extent_at(len(_TEXT.split("\n")) - 3)
    assert (extent is not None and extent.name, len(texts)) == ("after", 1)


_STRAY = """\
int f(void)
{
	return 1;
}
}

static struct {
	int lock;
} pool = {
	.lock = UNLOCKED(pool.lock),
};
static void g(void)
{
	small(2);
}
"""


def test_error_at_the_begin_of_a_piece_moves_no_line() -> None:
    parsed = parse("a.c", b"\n" * 600 + _STRAY.encode())
    assert [(extent.name, extent.line, extent.end) for extent in parsed.extents] == [("f", 601, 604), ("g", 612, 615)]
    assert [call.line for function in parsed.functions("g") for call in function.calls()] == [614]


def test_macro_goes_on_behind_a_comment_of_several_lines() -> None:
    text = (
        "#define MAKE(name) /* first\n\t\t    second */ \\\nint name(void)\t\\\n{\t/* why\t\\\n\t * it is */\t\\\n"
        "\tif (a) {\t\t\\\n\t\treturn 1;\t\\\n}\n#if ONE /* of\n\ttwo */ && 0\nint h(void)\n{\n\treturn 3;\n}\n"
        "#endif /* ONE\n\t  */\nint g(void)\n{\n\treturn 2;\n}\n"
    )
    assert [(extent.name, extent.line) for extent in parse("a.c", text.encode()).extents] == [("g", 17)]
