# SPDX-License-Identifier: GPL-2.0-or-later
"""What takes something of memory for granted is asked, not claimed, and says what: that a reference is the last."""

from __future__ import annotations

import pytest

from reviewer.model import Severity
from tests.findings import brought_by


def _held(does: str, of: str) -> str:
    """A function that ``does`` so with the lock of an ``of`` held."""
    return f"""
void {of}_stop(struct {of} *{of})
{{
	spin_lock(&{of}->lock);
	{does}
	spin_unlock(&{of}->lock);
}}
"""


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
    (found,) = brought_by(_TREE + _held("book_put(shelf->first);", "shelf"))
    assert found.severity is Severity.QUESTION
    assert found.message == (
        "mutex_lock(&book->pages) may sleep with the spinlock shelf->lock held if this drops the last reference"
    )
    assert found.question == (
        "Can this drop the last reference? Then mutex_lock(&book->pages) is called with the spinlock shelf->lock held."
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
"""
        + _held("shelf_pop(shelf);", "shelf")
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
"""
        + _held("book_close(shelf->first);", "shelf")
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
	book_free(book);
}
"""
        + _held("book_close(shelf->first);", "shelf")
    )
    assert found.severity is Severity.BUG


_CARD = """
struct card { spinlock_t lock; struct mutex setup; struct queue *queue; int mode; unsigned long flags; };
struct queue { bool lazy; };

static void card_settle(struct card *card)
{
	if (CONDITION)
		mutex_lock(&card->setup);
}

static bool card_is_idle(struct card *card)
{
	return look(card);
}
"""


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("card->queue", "card->queue is set"),
        ("!card->queue", "card->queue is not set"),
        ("card->mode == MODE_SLOW", "card->mode is MODE_SLOW"),
        ("card->mode != MODE_SLOW", "card->mode is not MODE_SLOW"),
        ("card->mode == MODE_SLOW || card->mode == MODE_OFF", "card->mode is MODE_OFF or MODE_SLOW"),
        ("card->flags & CARD_LAZY", "card->flags has CARD_LAZY"),
        ("!(card->flags & CARD_LAZY)", "card->flags does not have CARD_LAZY"),
        ("card->mode <= MODE_SLOW", "card->mode <= MODE_SLOW"),
        ("test_bit(CARD_LAZY, &card->flags)", "test_bit(CARD_LAZY, &card->flags) is true"),
        ("card->queue && card->mode", "card->mode is set and card->queue is set"),
        (
            "card->queue && card->mode && card->flags",
            "card->flags is set and card->mode is set, among 3 conditions",
        ),
    ],
)
def test_what_memory_must_hold_is_named_and_asked(condition: str, said: str) -> None:
    (found,) = brought_by(_CARD.replace("CONDITION", condition) + _held("card_settle(card);", "card"))
    assert found.message == f"mutex_lock(&card->setup) may sleep with the spinlock card->lock held if {said}"
    assert found.question == (
        f"Can it be that {said}? Then mutex_lock(&card->setup) is called with the spinlock card->lock held."
    )
    assert found.severity is Severity.QUESTION


def test_what_the_function_has_asked_itself_is_no_question() -> None:
    (found,) = brought_by(
        _CARD.replace("CONDITION", "card->queue") + _held("if (card->queue)\n\t\tcard_settle(card);", "card")
    )
    assert found.message == "mutex_lock(&card->setup) may sleep with the spinlock card->lock held"
    assert found.severity is Severity.BUG


def test_member_of_an_object_that_a_callee_finds_is_named_alone() -> None:
    (found,) = brought_by(
        _CARD.replace("CONDITION", "card->mode")
        + """
static void card_settle_first(struct card *card)
{
	struct queue *queue = first_queue(card);

	if (queue->lazy)
		mutex_lock(&card->setup);
}
"""
        + _held("card_settle_first(card);", "card")
    )
    assert found.message.endswith("held if ->lazy is set")
    assert found.severity is Severity.QUESTION


def test_what_happens_whether_a_member_is_set_or_not_stays_a_claim() -> None:
    (found,) = brought_by(
        _CARD.replace("CONDITION", "card->queue")
        + """
static void card_wait(struct card *card)
{
	if (card->mode)
		card_enter(card);
	mutex_lock(&card->setup);
}
"""
        + _held("card_wait(card);", "card")
    )
    assert found.severity is Severity.BUG
    assert " if " not in found.message


def test_member_of_an_object_without_a_path_is_named_alone() -> None:
    (found,) = brought_by(
        _CARD.replace("CONDITION", "!card->queue && card->mode == MODE_SLOW")
        + _held("card_settle(to_card(slot)->sibling);", "slot")
    )
    assert found.message.endswith("held if ->mode is MODE_SLOW and ->queue is not set")
    assert found.severity is Severity.QUESTION


def test_narrower_of_two_conditions_is_named() -> None:
    (found,) = brought_by(
        _CARD.replace("CONDITION", "card->mode == MODE_SLOW")
        + """
static void card_enter(struct card *card)
{
	switch (card->mode) {
	case MODE_SLOW:
	case MODE_OFF:
		card_settle(card);
	}
}
"""
        + _held("card_enter(to_card(slot)->sibling);", "slot")
    )
    assert found.message.endswith("held if ->mode is MODE_SLOW")


_COUNTERS = """
struct nic { spinlock_t lock; struct vnic *vnic; };
struct vnic { struct counters *counters; };

static int vnic_dump(struct vnic *vnic, struct counters **counters)
{
	if (!vnic->counters) {
		vnic->counters = kzalloc(sizeof(*vnic->counters), GFP_KERNEL);
		if (!vnic->counters)
			return -ENOMEM;
	}
	*counters = vnic->counters;
	return 0;
}
"""


def test_what_is_set_up_where_it_is_missing_is_asked() -> None:
    (found,) = brought_by(
        _COUNTERS
        + """
void nic_show(struct nic *nic)
{
	struct counters *counters;

	spin_lock(&nic->lock);
	vnic_dump(nic->vnic, &counters);
	spin_unlock(&nic->lock);
}

void nic_show_again(struct nic *nic)
{
	struct counters *counters;

	spin_lock(&nic->lock);
	if (nic->vnic->counters)
		vnic_dump(nic->vnic, &counters);
	spin_unlock(&nic->lock);
}
"""
    )
    assert found.function == "nic_show"
    assert found.message.endswith("held if nic->vnic->counters is not set")
    assert found.severity is Severity.QUESTION


@pytest.mark.parametrize(
    "first",
    ["vnic->counters = find(vnic);", "put(vnic)->counters = NULL;", "if (vnic->stale)\n\t\tvnic->counters = NULL;"],
)
def test_what_was_there_before_says_nothing_where_it_is_set_elsewhere_too(first: str) -> None:
    (found,) = brought_by(
        _COUNTERS.replace("	if (!vnic->counters) {", f"	{first}\n	if (!vnic->counters) {{")
        + """
void nic_show(struct nic *nic)
{
	struct counters *counters;

	spin_lock(&nic->lock);
	if (nic->vnic->counters)
		vnic_dump(nic->vnic, &counters);
	spin_unlock(&nic->lock);
}
"""
    )
    assert found.severity is Severity.BUG


def test_what_the_function_has_put_into_an_object_of_its_own_is_not_asked() -> None:
    (found,) = brought_by(
        """
struct slot { spinlock_t lock; struct mutex setup; };
struct order { int kind; unsigned int flags; };

static void slot_take(struct slot *slot, struct order *order)
{
	if (order->flags & ~(ORDER_NOW | ORDER_LATE))
		return;
	mutex_lock(&slot->setup);
}

void slot_empty(struct slot *slot)
{
	struct order order = { .kind = fetch() };

	spin_lock(&slot->lock);
	slot_take(slot, &order);
	spin_unlock(&slot->lock);
}
"""
    )
    assert found.severity is Severity.BUG


def test_condition_for_which_there_are_no_words_is_written_as_it_is() -> None:
    (found,) = brought_by(
        _CARD.replace("CONDITION", "card->flags & ~(CARD_LAZY | CARD_LATE)") + _held("card_settle(card);", "card")
    )
    assert found.message.endswith("held if card->flags&~(CARD_LAZY|CARD_LATE) is true")
