# SPDX-License-Identifier: GPL-2.0-or-later
"""What happens only where the last reference goes is asked, not claimed: who else holds one, no text says."""

from __future__ import annotations

from reviewer.model import Severity
from tests.findings import brought_by

_TREE = """
struct shelf { spinlock_t lock; struct book *first; };
struct book { refcount_t refs; struct mutex pages; struct book *sequel; bool dusty; };

static void book_free(struct book *book)
{
	mutex_lock(&book->pages);
	mutex_unlock(&book->pages);
	kfree(book);
}

static void book_put(struct book *book)
{
	if (!refcount_dec_and_test(&book->refs))
		return;
	book_free(book);
}
"""


def test_drop_of_a_last_reference_that_would_sleep_is_a_question() -> None:
    (found,) = brought_by(
        _TREE
        + """
void shelf_clear(struct shelf *shelf)
{
	spin_lock(&shelf->lock);
	book_put(shelf->first);
	spin_unlock(&shelf->lock);
}
"""
    )
    assert found.severity is Severity.QUESTION
    assert found.message == (
        "mutex_lock(&book->pages) may sleep with the spinlock shelf->lock held if this drops the last reference"
    )
    assert found.question == (
        "Can this drop the last reference? mutex_lock(&book->pages) is called with the spinlock shelf->lock held."
    )


def test_reference_that_a_callee_drops_deeper_down_is_asked_about_as_well() -> None:
    (found,) = brought_by(
        _TREE
        + """
static struct book *shelf_pop(struct shelf *shelf)
{
	struct book *book = find_book(shelf);

	book_put(book);
	return NULL;
}

void shelf_clear(struct shelf *shelf)
{
	spin_lock(&shelf->lock);
	shelf_pop(shelf);
	spin_unlock(&shelf->lock);
}
"""
    )
    assert found.severity is Severity.QUESTION
    assert "last reference" in found.message


def test_what_happens_to_any_reference_stays_a_claim() -> None:
    (found,) = brought_by(
        _TREE
        + """
static void book_close(struct book *book)
{
	if (!refcount_dec_and_test(&book->refs))
		mutex_lock(&book->pages);
	else
		book_free(book);
}

void shelf_clear(struct shelf *shelf)
{
	spin_lock(&shelf->lock);
	book_close(shelf->first);
	spin_unlock(&shelf->lock);
}
"""
    )
    assert found.severity is Severity.BUG
    assert "last reference" not in found.message


def test_what_is_wrong_both_ways_is_claimed_once() -> None:
    (found,) = brought_by(
        _TREE
        + """
static void book_close(struct book *book)
{
	if (refcount_dec_and_test(&book->refs))
		book_free(book);
	if (book->dusty)
		book_free(book);
}

void shelf_clear(struct shelf *shelf)
{
	spin_lock(&shelf->lock);
	book_close(shelf->first);
	spin_unlock(&shelf->lock);
}
"""
    )
    assert found.severity is Severity.BUG
