# SPDX-License-Identifier: GPL-2.0-or-later
"""What only the preprocessor explains is read all the same, each form in C of its own."""

from __future__ import annotations

import pytest

from reviewer.source.cfg import Call, Function, Guard, Loop
from reviewer.source.parse import parse


def _read(text: str) -> list[Function]:
    parsed = parse("kernel/a.c", text.encode())
    assert [extent.name for extent in parsed.extents if not extent.readable] == []
    return list(parsed.functions())


def _happens(function: Function) -> list[str]:
    """Names of calls and loops, and where guards begin and end, in the order of the lines."""
    found = []
    for block in function.blocks:
        for node in block.nodes:
            if isinstance(node, Call | Loop):
                found.append((node.line, node.name))
            elif isinstance(node, Guard):
                found.append((node.line, ("+" if node.enter else "-") + node.cls))
    return [name for _, name in sorted(found, key=lambda one: one[0])]


_STATEMENTS = {
    "loop by its name": ("list_for_each_entry(a, b, c)\n\t\tg(a);\n\th();", ["list_for_each_entry", "g", "h"]),
    "loop by its block": ("walk_all(a, b) {\n\t\tg(a);\n\t}", ["walk_all", "g"]),
    "loop by the indented line": ("walk_all(a, b)\n\t\tg(a);\n\th();", ["walk_all", "g", "h"]),
    "loop that declares": ("walk_all(struct s *p, b)\n\t\tg(p);", ["walk_all", "g"]),
    "loop without arguments": ("walk_everything() {\n\t\tg(a);\n\t}", ["walk_everything", "g"]),
    "macro that brings its semicolon": ("TELL(a)\n\tg(b);", ["TELL", "g"]),
    "macro at the end of a block": ("if (a) {\n\t\tTELL(a)\n\t}", ["TELL"]),
    "macro before else": ("if (a)\n\t\tTELL(a)\n\telse\n\t\tg(b);", ["TELL", "g"]),
    "macro alone on its line": ("g(a);\n\tREPEAT_FOR_ALL\nout:\n\th(a);", ["g", "h"]),
    "do with a macro for while": ("do {\n\t\tg(a);\n\t} while_each_thing(a, b);\n\th();", ["g", "h"]),
    "scoped guard": ("scoped_guard(spinlock, &a->lock)\n\t\tg(a);", ["+spinlock", "g", "-spinlock"]),
    "macros that make elements": ("struct s *all[] = { &b, SOME_OF_THEM OTHERS &c, OTHERS };\n\tg(all);", ["g"]),
    "macro calls as elements": ("struct s all[] = {\n\t\tONE(1)\n\t\tONE(2)\n\t};\n\tg(all);", ["ONE", "g"]),
    "one macro call as the element": ("struct s all[] = {\n\t\tONE(1)\n\t};\n\tg(all);", ["ONE", "g"]),
    "type as argument": ("x = take(struct s *);\n\tg(x);", ["take", "g"]),
    "type of several words": ("x = take(a, const unsigned long *);\n\tg(x);", ["take", "g"]),
    "pointer type as argument": ("x = take(a, u8 *);\n\tg(x);", ["take", "g"]),
    "typeof as argument": ("x = take(a, typeof(struct s), b);\n\tg(x);", ["take", "g"]),
    "typeof that declares": ("typeof(*a) *y = g(a);", ["g"]),
    "operator as argument": ("x = compare(a, <=, b);\n\tg(x);", ["compare", "g"]),
    "cast to several words": ("x = (unsigned long)(g(a));", ["g"]),
    "cast to a pointer to a function": ("y = (int (*)(const void *, int))b;\n\tg(y);", ["g"]),
    "alignment of an expression": ("x = size(a, __alignof__(*a));\n\tg(x);", ["size", "g"]),
    "value that looks like an attribute": ("x = y < (unsigned long)__text_end;\n\tg(x);", ["g"]),
    "attribute before a declarator": ("struct t __user (*y)[4];\n\tg(y);", ["g"]),
    "string made by a macro": ('g("a" STR(x) "b", STR(y) "c");\n\th(a);', ["g", "h"]),
    "string over lines": ('y = "a\\\n\tb";\n\tg(y);', ["g"]),
    "empty arguments": ("TELL(, a, +=, b);\n\tTELL(a, );\n\tg(b);", ["TELL", "TELL", "g"]),
    "designated arguments": (
        "OPTS(t, o,\n\t\t.a = b,\n\t\t.c = d,\n\t);\n\tg(VALUE(.a = 1, .b = 2));",
        ["OPTS", "VALUE", "g"],
    ),
    "operands of an assembler macro": ('insn("add" : "=r" (x) : [y] "r" (a));\n\tg(a);', ["g"]),
    "statements as arguments": ("BOTH(a, g(a);\n\t\th(a);\n\t, return 1);\n\tk(a);", ["g", "h", "k"]),
    "jump as argument": ("EITHER(a, return g(a), h(a));", ["g", "h", "EITHER"]),
    "variable that a macro declares": ("DECLARE_MAP(m, 8) = { 0 };\n\tg(m);", ["g"]),
    "type that a macro makes": ("SMALL(struct s, 4) y;\n\tg(y);", ["g"]),
    "type that a macro makes of members": (
        "AFTER(struct s, h, tail,\n\t\tstruct t more;\n\t) y = {\n\t\t.h = { .a = 1 },\n\t};\n\tg(&y);",
        ["g"],
    ),
    "member that a macro makes": ("struct {\n\t\tint b;\n\t\tPADDED(k, 8);\n\t} y;\n\tg(&y);", ["g"]),
    "declaration in the brackets of a macro": ("IF_DEBUG(struct s *y);\n\tIF_DEBUG(char z[8]);\n\tg(y);", ["g"]),
    "attribute before a tag": ("struct __packed t { int a; } y;\n\tstruct __packed t z;\n\tg(y, z);", ["g"]),
    "tag with two underscores": ("struct __t y;\n\tstruct __t __user *z;\n\tg(y, z);", ["g"]),
    "calling convention": ("struct { int (__api *h)(int a); } *y;\n\tg(y);", ["g"]),
    "list as argument": ("send(a, {1, 2});\n\tg(a);", ["send", "g"]),
    "names pasted to numbers": ("CHECK(a, 32BIT_X, 0x1fUL, 10u);\n\tg(a);", ["CHECK", "g"]),
    "units": ("x = 16 KB + (y >> 2);\n\tg(x);", ["g"]),
    "type of the value": ("auto y = g(a);", ["g"]),
    "level and names before a string": ('printk(KERN_INFO NAME VERSION "a");\n\tg(a);', ["printk", "g"]),
    "member called like an attribute": ("g(&a->notrace);", ["g"]),
    "register variable": ('register int y __asm__("r0") = g(a);', ["g"]),
    "cast to typeof": ("y = (typeof(a->b) *)g(a);", ["g"]),
    "macros in a row": ("TELL(a) TELL(b)\n\tg(a);", ["TELL", "TELL", "g"]),
    "range of cases": ("switch (x) {\n\tcase 1 ... 3:\n\t\tg(a);\n\t}", ["g"]),
}


@pytest.mark.parametrize("form", sorted(_STATEMENTS))
def test_statements_and_expressions(form: str) -> None:
    body, happens = _STATEMENTS[form]
    functions = _read(f"static int f(struct s *a, int x)\n{{\n\t{body}\n\treturn 0;\n}}\n")
    assert [function.name for function in functions] == ["f"]
    assert _happens(functions[0]) == happens


_HEADERS = {
    "system call": ("SYSCALL_DEFINE2(foo, int, a, int, b)", "sys_foo"),
    "type on the line above a name like a macro's": ("static int\nnote_module_parms(int a)", "note_module_parms"),
    "words of sparse": ("static void f(struct s *s)\n\t__must_hold(&s->lock)", "f"),
    "header in arms": (
        "#ifdef CONFIG_A\nSYSCALL_DEFINE1(one, int, a)\n#else\n" + "/* " + "-" * 400 + " */\nint two(void)\n#endif",
        "sys_one",
    ),
    "attribute after the parameters": ("void f(struct s *s)\n\t__must_not_hold(&s->lock)", "f"),
    "two attributes after the parameters": ("void f(struct s *s)\n\t__not_this(&s->lock) __nor_that(s)", "f"),
    "attribute before a name with underscores": ("void __attribute__((weak)) __f(int a,\n\tint b)", "__f"),
    "attribute with arguments before the type": ('static TARGET("a") u8 f(int a)', "f"),
    "attribute of its own before the name": ("static my_result my_noinline\nf(int a)", "f"),
    "attribute of its own before the type": ("static my_attributes void f(int a)", "f"),
    "attribute in capitals": ("static int INIT f(int a)", "f"),
    "attribute with arguments": ("static inline void PRINTF(5, 6) f(int a)", "f"),
    "type in capitals on its own line": ("FORCE_INLINE_TEMPLATE U32\nf(U32 a)", "f"),
    "type of the architecture": ("static __uint128_t f(__hc32 *a)", "f"),
    "attribute with an argument and underscores": ("static __check_printf(1, 2) int f(const char *a)", "f"),
    "attributes with arguments before all": ('SEC("x") __flag(A) __value(-B)int f(int a)', "f"),
    "attributes on the line above": ("__success __flag(A)\nint f(int a)", "f"),
    "type that is defined there": ("static enum way {\n\tLEFT,\n\tRIGHT,\n} f(int a)", "f"),
    "type of a parameter that is defined there": ("int f(struct {\n\tstruct a _1;\n\tstruct b _2;\n} *a)", "f"),
    "no type": ("f(\n    int *a,\n    int *b)", "f"),
    "name made of a name and a number": ("void XOR_NAME(2)(int a)", "XOR_NAME_2"),
    "name made by a macro": ("static int FNAME(walk)(int a)", "FNAME_walk"),
}


@pytest.mark.parametrize("form", sorted(_HEADERS))
def test_headers(form: str) -> None:
    header, name = _HEADERS[form]
    functions = _read(f"int before(void)\n{{\n\ta();\n}}\n{header}\n{{\n\tb();\n}}\nint after(void)\n{{\n\tc();\n}}\n")
    assert [(function.name, _happens(function)) for function in functions] == [
        ("before", ["a"]),
        (name, ["b"]),
        ("after", ["c"]),
    ]


def test_functions_of_one_line_with_attributes() -> None:
    one, other = (f'SEC("x") __value(A){text}(int a) {{ return b(a); }}\n' for text in (" int f1", "int f2"))
    parsed = parse("kernel/a.c", f"{one}{other}".encode())
    assert [(extent.name, extent.line, extent.readable) for extent in parsed.extents] == [
        ("f1", 1, True),
        ("f2", 2, True),
    ]


@pytest.mark.parametrize(
    "between",
    ["NOKPROBE_SYMBOL(before)", "DEFINE_ITER(x, struct s *a)", "ALL_OF_THEM", "small_macro(a, b)", "LIST_START\nID(x)"],
)
def test_macro_calls_between_functions_are_passed_over(between: str) -> None:
    functions = _read(f"void before(void)\n{{\n}}\n{between}\n\nstatic struct s *after(int a)\n{{\n\tg(a);\n}}\n")
    assert [(function.name, _happens(function)) for function in functions] == [("before", []), ("after", ["g"])]


def test_an_error_keeps_to_its_function() -> None:
    good = "".join(f"int f{number}(int a)\n{{\n\treturn g(a);\n}}\n" for number in range(20))
    parsed = parse("kernel/a.c", f"{good}int bad(int a)\n{{\n\tif (a {{ ( }} }}\n}}\n{good}".encode())
    readable = [extent.name for extent in parsed.extents if extent.readable]
    assert readable == [f"f{number}" for number in range(20)] * 2
    assert [extent.line for extent in parsed.extents if extent.readable][20:] == [85 + 4 * n for n in range(20)]


def test_a_function_that_cannot_be_read_is_there_all_the_same() -> None:
    body = "".join(f"\tSHOW(union {{int a}} {number}, 5 : {{, );\n" for number in range(60))
    parsed = parse("kernel/a.c", f"void f(void)\n{{\n}}\n\nstatic int\nbad(int a)\n{{\n{body}}}\n".encode())
    assert [(extent.name, extent.line, extent.end, extent.readable) for extent in parsed.extents] == [
        ("f", 1, 3, True),
        ("bad", 5, 68, False),
    ]
    assert [function.name for function in parsed.functions()] == ["f"]


def test_initialiser_after_a_macro_is_no_function() -> None:
    text = "define_machine(x) {\n\t.probe = probe,\n\t.init = init,\n};\n\nvoid f(void)\n{\n\tg(a);\n}\n"
    assert [function.name for function in _read(text)] == ["f"]
