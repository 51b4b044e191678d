# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls that sleep only for objects which somebody has declared to be of some kind."""

from __future__ import annotations

from tests.findings import brought_by

_PATH = "fs/ring/ring.c"
_UTIL = """
void folio_copy(struct folio *to, struct folio *from)
{
	long at = 0;

	while (++at < folio_nr_pages(from))
		cond_resched();
}
"""
_COPIES = """
struct ring { spinlock_t lock; };

static int ring_move(struct address_space *mapping, struct folio *to, struct folio *from)
{
	struct ring *ring = mapping->private_data;

	spin_lock(&ring->lock);
	folio_copy(to, from);
	spin_unlock(&ring->lock);
	return 0;
}
"""
_TABLE = """
static const struct address_space_operations ring_aops = {
	.migrate_folio = ring_move,
};
"""
_DECLARES = """
void ring_grow(struct inode *inode)
{
	mapping_set_large_folios(inode->i_mapping);
}
"""


def _lines(code: str, others: dict[str, str]) -> list[str]:
    found = brought_by(code, path=_PATH, others={"mm/util.c": _UTIL, **others})
    return [code.split("\n")[each.line - 1].strip() for each in found]


def test_mapping_that_nobody_declared_has_no_large_folios() -> None:
    assert _lines(_COPIES + _TABLE, {}) == []
    assert _lines(_COPIES + _TABLE, {"fs/ring/below/other.c": _DECLARES, "fs/other/other.c": _DECLARES}) == []


def test_mapping_that_was_declared_may_have_them() -> None:
    assert _lines(_COPIES + _TABLE + _DECLARES, {}) == ["folio_copy(to, from);"]
    assert _lines(_COPIES + _TABLE, {"fs/ring/inode.c": _DECLARES}) == ["folio_copy(to, from);"]


def test_who_has_no_mappings_of_his_own_may_be_given_them() -> None:
    assert _lines(_COPIES, {}) == ["folio_copy(to, from);"]


def test_what_sleeps_otherwise_still_does() -> None:
    code = _COPIES.replace("folio_copy(to, from);", "mutex_lock(&ring->setup);")
    assert _lines(code + _TABLE, {}) == ["mutex_lock(&ring->setup);"]
