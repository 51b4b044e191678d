# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules are quoted in the words of the tree under review, or not at all."""

# ruff: noqa: E101 (kernel code, indented as the kernel does)

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from reviewer.citation import TRAPS, Citer
from reviewer.model import Citation, Source
from reviewer.sentences import sentence_spans
from reviewer.tree.repository import Repository

VERSIONS = ("6.1", "6.12", "7.2")
COMMIT = "0123456789abcdef0123456789abcdef01234567"
DOC = "Documentation/locking/doorbell.rst"


class Folder:
    """A checkout, read from the disk."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self, path: str) -> bytes | None:
        file = self.root / path
        return file.read_bytes() if file.is_file() else None


class Made:
    """A tree made by a test."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = files

    def read(self, path: str) -> bytes | None:
        return self.files[path].encode() if path in self.files else None


def quoted(text: str, anchor: str, *, path: str = DOC, section: str = "") -> Citation:
    citation = Citer(Made({path: text}), COMMIT).cite([Source(path, anchor, section)])
    assert citation is not None, f"{anchor!r} was not found"
    return citation


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


DOCUMENT = """\
.. SPDX-License-Identifier: GPL-2.0

=========
Doorbells
=========

A doorbell is rung from any context.  Whoever answers it may
sleep, e.g. to
fetch the key.

Ringing
-------

The ring lock is a raw_spinlock_t, i.e. it spins on every
kernel (see below.)  doorbell_ring() must not allocate while
it is held::

  raw_spin_lock(&ring);
  /* an answer here
   * would be too late. */
  press();

- Do not ring twice. The second
  ring is lost.
- Do not ring a read-
  only bell.

:Type:		raw_spinlock_t
:Comment:	'raw' because the bell is rung in
		hard interrupts.

Answering
~~~~~~~~~

The ring lock is not held here.
"""


def test_the_sentence_around_an_anchor_is_quoted_with_its_section_and_first_line() -> None:
    found = quoted(DOCUMENT, "must not allocate")
    assert found == Citation(
        DOC, "Ringing", 15, "doorbell_ring() must not allocate while it is held::", COMMIT, "must not allocate"
    )


def test_an_anchor_may_be_broken_across_lines() -> None:
    assert quoted(DOCUMENT, "may sleep, e.g. to fetch").quote == (
        "Whoever answers it may sleep, e.g. to fetch the key."
    )


def test_overlined_titles_are_headings() -> None:
    assert quoted(DOCUMENT, "any context").section == "Doorbells"


def test_of_several_places_the_named_section_is_taken() -> None:
    assert quoted(DOCUMENT, "The ring lock is").section == "Ringing"
    assert quoted(DOCUMENT, "The ring lock is", section="Answering").quote == "The ring lock is not held here."


def test_a_section_that_was_renamed_does_not_lose_the_rule() -> None:
    assert quoted(DOCUMENT, "must not allocate", section="Pressing").section == "Ringing"


def test_list_items_and_fields_are_not_mixed_with_their_neighbours() -> None:
    assert quoted(DOCUMENT, "second ring").quote == "The second ring is lost."
    assert quoted(DOCUMENT, "hard interrupts").quote == "'raw' because the bell is rung in hard interrupts."


def test_a_word_that_is_hyphenated_across_lines_is_one_word() -> None:
    assert quoted(DOCUMENT, "read-only bell").quote == "Do not ring a read-only bell."


def test_a_literal_block_is_quoted_by_the_line_and_its_comment_by_the_sentence() -> None:
    assert quoted(DOCUMENT, "press();").quote == "press();"
    assert quoted(DOCUMENT, "too late").quote == "an answer here would be too late."


def test_nothing_is_guessed() -> None:
    citer = Citer(Made({DOC: DOCUMENT}), COMMIT)
    assert citer.cite([Source(DOC, "must not alocate")]) is None
    assert citer.cite([Source("Documentation/none.rst", "must not allocate")]) is None
    assert citer.cite([]) is None


def test_sources_are_tried_in_their_order() -> None:
    citer = Citer(Made({DOC: DOCUMENT}), COMMIT)
    sources = [Source("gone.rst", "x"), Source(DOC, "not there"), Source(DOC, "rung"), Source(DOC, "Ring twice")]
    found = citer.cite(sources)
    assert found is not None
    assert found.anchor == "rung"


def test_source_that_names_the_function_called_goes_first() -> None:
    text = "Title\n=====\n\nThe allocator sleeps.\n\nNobody frees by put_thing() here.\n"
    code = "/**\n * drop_thing - give back\n *\n * Not in NMI context.\n */\nvoid drop_thing(void)\n{\n}\n"
    citer = Citer(Made({DOC: text, "mm/thing.c": code}), COMMIT)
    sources = [Source(DOC, "allocator"), Source(DOC, "Nobody frees"), Source("mm/thing.c", "Not in NMI")]
    told = {called: citer.cite(sources, called) for called in ("", "put_thing", "drop_thing", "thing", "free_thing")}
    assert {called: found.anchor if found else None for called, found in told.items()} == {
        "": "allocator",
        "put_thing": "Nobody frees",
        "drop_thing": "Not in NMI",
        "thing": "allocator",
        "free_thing": "allocator",
    }


def test_a_long_sentence_is_cut_to_five_lines_around_the_anchor() -> None:
    text = "Title\n=====\n\nOne\n" + "".join(f"word{n},\n" for n in range(20)) + "end.\n"
    start = quoted(text, "word2,")
    assert start.quote == "One word0, word1, word2, word3,"
    assert start.line == 4
    late = quoted(text, "word15,")
    assert late.quote == "word11, word12, word13, word14, word15,"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It spins, i.e. it burns. It stops.", ["It spins, i.e. it burns.", "It stops."]),
        ("Many sleep (ie. call schedule()) here. Then", ["Many sleep (ie. call schedule()) here.", "Then"]),
        ("See x. kfree_rcu() is fine.", ["See x.", "kfree_rcu() is fine."]),
        ("It is in core.c or rcu.h today. ``x`` too.", ["It is in core.c or rcu.h today.", "``x`` too."]),
        ("(Do not.) It is wrong.", ["(Do not.)", "It is wrong."]),
        ("in context (lock, irq, ...). Other text", ["in context (lock, irq, ...).", "Other text"]),
        ("Wait ... and see.", ["Wait ... and see."]),
        ('He said "no." Then left.', ['He said "no."', "Then left."]),
        ("Reported by Paul E. McKenney. Thanks.", ["Reported by Paul E. McKenney.", "Thanks."]),
        ("no full stop", ["no full stop"]),
        ("locks, etc. are held.  the rest", ["locks, etc. are held.", "the rest"]),
        ("Version 5.10 has it. As does 6.1.", ["Version 5.10 has it.", "As does 6.1."]),
    ],
)
def test_sentences_of_kernel_prose(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


HEADER = """\
/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Doorbells are rung from hard interrupts; whatever is
 * taken there must be raw.
 */
#include <linux/types.h>

/**
 * DOC: How to ring
 *
 * Rings are cheap.
 */

/**
 * struct bell - A bell
 * @lock: protects all. Taken in hard interrupts.
 */
struct bell {
	/* Never taken by threads. */
	raw_spinlock_t lock;
};

/*
 * Locks nest like this:
 *   bell->lock
 *     ring->lock
 */
static DEFINE_MUTEX(bells_lock);

/**
 * bell_ring - Ring a bell
 * @bell: which one
 *
 * Context: May be called from hard interrupts,
 * but not from NMI.
 */
static inline int bell_ring(struct bell *bell)
{
	/*
	 * The caller has the lock. It must not sleep.
	 */
	lockdep_assert_held(&bell->lock);
	return push(bell,
		    GFP_ATOMIC);
}

#define bell_check(b) do {			\\
	WARN_ONCE(!(b)->rope,			\\
		  "a bell without rope");	\\
} while (0)
"""


@pytest.mark.parametrize(
    ("anchor", "section", "quote"),
    [
        ("must be raw", "file scope", "Doorbells are rung from hard interrupts; whatever is taken there must be raw."),
        ("Rings are cheap", "DOC: How to ring", "Rings are cheap."),
        ("Taken in hard", "bell", "Taken in hard interrupts."),
        ("Never taken by", "struct bell", "Never taken by threads."),
        ("ring->lock", "comment above DEFINE_MUTEX", "Locks nest like this: bell->lock ring->lock"),
        ("but not from NMI", "bell_ring", "Context: May be called from hard interrupts, but not from NMI."),
        ("It must not", "in bell_ring", "It must not sleep."),
        ("GFP_ATOMIC", "in bell_ring", "return push(bell, GFP_ATOMIC);"),
        ("a bell without", "macro bell_check", 'WARN_ONCE(!(b)->rope, "a bell without rope");'),
    ],
)
def test_source_files_are_quoted_by_comment_and_statement(anchor: str, section: str, quote: str) -> None:
    found = quoted(HEADER, anchor, path="include/linux/bell.h")
    assert (found.section, found.quote) == (section, quote)


def test_in_function_is_the_same_section_as_in() -> None:
    assert quoted(HEADER, "lockdep", path="a.h", section="in function bell_ring").section == "in bell_ring"


def test_kconfig_help_is_quoted() -> None:
    text = 'config BELL\n\tbool "Bells"\n\thelp\n\t  Say Y. Rings are loud,\n\t  mind the neighbours.\n'
    assert quoted(text, "mind the", path="drivers/bell/Kconfig").quote == "Rings are loud, mind the neighbours."


def test_a_tree_full_of_blanks_or_broken_bytes_does_no_harm() -> None:
    path = "a.rst"
    blanks = Made({path: "word " + " " * 200_000 + "x\n" + "\n" * 50_000})
    assert Citer(blanks, COMMIT).cite([Source(path, "word y")]) is None

    class Binary:
        def read(self, _path: str) -> bytes | None:
            return b"\xff\xfe rule \0 stands here.\n"

    found = Citer(Binary(), COMMIT).cite([Source(path, "stands here")])
    assert found is not None
    assert "stands here." in found.quote


def test_a_trap_is_one_only_as_long_as_the_untrue_words_stand_there() -> None:
    path = "Documentation/virt/kvm/locking.rst"
    text = "``wakeup_vcpus_on_cpu_lock``\n^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n:Type:\t\t{}\n:Comment:\tper CPU lock.\n"
    source = Source(path, "per CPU lock")
    assert Citer(Made({path: text.format("spinlock_t")}), COMMIT).cite([source]) is None
    found = Citer(Made({path: text.format("raw_spinlock_t")}), COMMIT).cite([source])
    assert found is not None


# --- the real trees ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_each_tree_says_it_in_its_own_words(version: str, kernel_tree: Callable[[str], Path]) -> None:
    sources = [
        Source(
            "include/linux/gfp_types.h",
            "contexts that disable preemption under PREEMPT_RT",
            "DOC: Useful GFP flag combinations",
        ),
        Source(
            "include/linux/gfp_types.h",
            "non-preemptive contexts (e.g. raw_spin_lock)",
            "DOC: Useful GFP flag combinations",
        ),
    ]
    found = Citer(Folder(kernel_tree(version)), COMMIT).cite(sources)
    assert found is not None
    assert ("e.g. raw_spin_lock" in found.quote) == (version != "7.2")
    assert found.section == "DOC: Useful GFP flag combinations"


@pytest.mark.parametrize("version", VERSIONS)
def test_the_quotation_stands_in_the_tree_byte_for_byte(version: str, kernel_tree: Callable[[str], Path]) -> None:
    tree = kernel_tree(version)
    path = "Documentation/locking/locktypes.rst"
    found = Citer(Folder(tree), COMMIT).cite([Source(path, "critical section must avoid allocating memory")])
    assert found is not None
    lines = (tree / path).read_text().split("\n")[found.line - 1 : found.line + 4]
    assert found.quote in " ".join(" ".join(lines).split())
    assert found.quote.startswith("Acquiring a raw_spinlock_t")
    assert found.quote.endswith("allocating memory.")


def test_a_commit_is_quoted_without_a_checkout(kernel_tree: Callable[[str], Path]) -> None:
    tree = kernel_tree("6.12")
    repository = Repository.open(tree)
    try:
        commit = repository.resolve("HEAD")
        snapshot = repository.snapshot(repository.tree_of(commit), commit)
        source = Source("mm/page_alloc.c", "in NMI context or while holding a raw", "__free_pages")
        found = Citer(snapshot, commit).cite([source])
        assert found is not None
        assert found.commit == commit
        assert found == Citer(Folder(tree), commit).cite([source])
    finally:
        repository.close()


TRAPPED = [
    ("Documentation/kernel-hacking/locking.rst", "Some functions are safe to call from any context"),
    ("Documentation/locking/preempt-locking.rst", "since preemption is implicitly disabled"),
    ("Documentation/locking/preempt-locking.rst", "any cond_resched() or cond_resched_lock() might trigger"),
    ("Documentation/virt/kvm/locking.rst", "Everything else is a leaf"),
    ("Documentation/locking/seqlock.rst", "seqcount_ww_mutex_t"),
]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("path", "anchor"), TRAPPED)
def test_documents_that_are_wrong_are_not_quoted(
    version: str, path: str, anchor: str, kernel_tree: Callable[[str], Path]
) -> None:
    tree = kernel_tree(version)
    assert anchor in " ".join((tree / path).read_text().split()), "the document does not say it any more"
    assert Citer(Folder(tree), COMMIT).cite([Source(path, anchor)]) is None


def test_functions_that_do_not_exist_are_not_quoted_where_the_document_names_them(
    kernel_tree: Callable[[str], Path],
) -> None:
    source = Source("Documentation/core-api/entry.rst", "Task work handling is done separately", "KVM")
    found = {version: Citer(Folder(kernel_tree(version)), COMMIT).cite([source]) for version in VERSIONS}
    assert found["6.1"] is None
    assert found["6.12"] is None
    assert found["7.2"] is not None


def test_the_lock_behind_bh_is_quoted_only_where_it_exists(kernel_tree: Callable[[str], Path]) -> None:
    path = "Documentation/locking/locktypes.rst"
    lock = Source(path, "per-CPU lock for serialization", "spinlock_t and PREEMPT_RT")
    preemption = Source(path, "Preemption is not disabled.", "spinlock_t and PREEMPT_RT")
    for version in VERSIONS:
        citer = Citer(Folder(kernel_tree(version)), COMMIT)
        assert (citer.cite([lock]) is None) == (version == "7.2")
        assert citer.cite([preemption]) is not None


def _catalogue(shared: Path) -> dict[str, Any]:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    loaded: dict[str, Any] = yaml.safe_load((shared / "rules" / "catalogue.yaml").read_text())
    return loaded


@pytest.mark.parametrize("version", VERSIONS)
def test_the_catalogue_of_rules_resolves(version: str, shared: Path, kernel_tree: Callable[[str], Path]) -> None:
    """Every source that names the tree is found with its section and quoted with its anchor, traps aside."""
    citer = Citer(Folder(kernel_tree(version)), COMMIT)
    trapped = {trap.path for trap in TRAPS}
    total = resolved = in_section = 0
    lost = []
    for rule in _catalogue(shared)["rules"]:
        for source in rule["sources"]:
            if version not in source["trees"]:
                continue
            section = (source.get("section_by_tree") or {}).get(version, source["section"])
            found = citer.cite([Source(source["path"], source["anchor"], section)])
            total += 1
            if found is None:
                lost.append((rule["id"], source["path"], source["anchor"]))
                continue
            resolved += 1
            in_section += found.section.split() == section.split()
            assert "".join(source["anchor"].split()) in "".join(found.quote.split())
            assert found.line <= source["line_at_verification"][version] < found.line + 5
    print(f"{version}: {resolved} of {total} resolve, {in_section} in the section named, {len(lost)} are traps")
    assert total > 300
    assert all(path in trapped for _, path, _ in lost), lost
    assert len(lost) <= 6
    assert in_section >= 0.99 * resolved
