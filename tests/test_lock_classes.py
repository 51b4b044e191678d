# SPDX-License-Identifier: GPL-2.0-or-later
"""A lock that is set up at two places is of two classes."""

from __future__ import annotations

import textwrap

from tests.findings import PATH, brought_by

_HEADER = "struct bus { spinlock_t lock; };\nstruct space { spinlock_t lock; int type; struct bus *bus; };\n"
_SET_UP = "void set_up_{0}(struct space *space)\n{{\n\tspin_lock_init(&space->lock);\n}}\n"
_ATTACH = textwrap.dedent("""
    void attach(struct space *space, struct bus *bus)
    {
            %s
            spin_lock(&bus->lock);
            spin_lock(&space->lock);
            spin_unlock(&space->lock);
            spin_unlock(&bus->lock);
    }
    """)
_ASK = "if (space->type == SPACE_SHARED)\n\t\treturn;"
_RELEASE = textwrap.dedent("""
    void release_{0}(struct space *space)
    {{
            spin_lock(&space->lock);
            spin_lock(&space->bus->lock);
            spin_unlock(&space->bus->lock);
            spin_unlock(&space->lock);
    }}
    """)
_FOLDER = PATH.rpartition("/")[0]


def _inversions(other: str, own: str) -> list[str]:
    others = {f"{_FOLDER}/space.h": _HEADER, f"{_FOLDER}/bus.c": f'#include "space.h"\n{other}'}
    found = brought_by(f'#include "space.h"\n{own}', others=others)
    return [finding.function for finding in found if finding.check == "lock-order-inversion"]


def test_each_file_has_locks_of_its_own_where_one_leaves_out_a_type() -> None:
    other = _SET_UP.format("plain") + _ATTACH % _ASK
    assert _inversions(other, _SET_UP.format("shared") + _RELEASE.format("shared")) == []


def test_locks_that_one_file_sets_up_are_of_one_class() -> None:
    other = _SET_UP.format("plain") + _ATTACH % _ASK
    assert _inversions(other, _RELEASE.format("shared")) == ["release_shared"]


def test_an_order_that_leaves_out_nothing_is_one_for_all() -> None:
    other = _SET_UP.format("plain") + _ATTACH % ""
    assert _inversions(other, _SET_UP.format("shared") + _RELEASE.format("shared")) == ["release_shared"]


def test_both_orders_of_one_file_are_about_its_own_locks() -> None:
    own = _SET_UP.format("shared") + _RELEASE.format("shared") + _ATTACH % _ASK
    assert sorted(_inversions(_SET_UP.format("plain"), own)) == ["attach", "release_shared"]
