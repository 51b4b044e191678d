# SPDX-License-Identifier: GPL-2.0-or-later
"""A patch that did not apply is judged by what its hunks show."""

from __future__ import annotations

from reviewer.fragment import fragments_of

_DIFF = b"""diff --git a/drivers/x.c b/drivers/x.c
--- a/drivers/x.c
+++ b/drivers/x.c
@@ -10,6 +10,7 @@ static void refill(struct pool *pool)
 \tint n;
\x20
 \traw_spin_lock(&pool->lock);
+\tpool->spare = kmalloc(8, GFP_ATOMIC);
 \tpool->n = n;
 \traw_spin_unlock(&pool->lock);
 }
@@ -30,3 +31,5 @@ static void other(void)
\x20
 void last(void)
 {
+\tif (1) {
+\t\tmsleep(1);
"""


def test_hunk_lies_at_its_lines_inside_the_function_that_git_names() -> None:
    before, after = fragments_of(_DIFF)
    lines = after["drivers/x.c"].split(b"\n")
    assert lines[8] == b"static void refill(struct pool *pool) {"
    assert lines[12] == b"\tpool->spare = kmalloc(8, GFP_ATOMIC);"
    assert lines[15] == b"}"
    assert b"kmalloc" not in before["drivers/x.c"]


def test_function_that_the_hunk_leaves_open_is_closed() -> None:
    _, after = fragments_of(_DIFF)
    text = after["drivers/x.c"]
    assert text.count(b"{") == text.count(b"}")
    assert text.split(b"\n")[31] == b"void last(void)"


def test_files_that_are_no_c_have_no_fragment() -> None:
    before, after = fragments_of(_DIFF.replace(b"x.c", b"x.rst"))
    assert not before
    assert not after
