# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel's own reports: recognised in any wrapping, read into records, told in words."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable
from contextlib import closing
from io import StringIO
from pathlib import Path

import pytest

from reviewer.citation import Citer
from reviewer.explained import explain
from reviewer.report.splat import render_splats, splats_to_json
from reviewer.report.text import console_for
from reviewer.splat.account import account_of
from reviewer.splat.cycle import edges_of
from reviewer.splat.kinds import IDS
from reviewer.splat.lines import MAX_LINE
from reviewer.splat.meanings import load_meanings
from reviewer.splat.parse import MAX_SPLATS, parse
from reviewer.splat.records import Splat, Task
from reviewer.tree.repository import Repository
from tests.conftest import ROOT
from tests.repos import make

EXAMPLES = Path(__file__).parent / "splats"
MEANINGS = load_meanings(ROOT / "checks")


def example(kind: str) -> str:
    return (EXAMPLES / f"{kind}.txt").read_text()


def only(text: str) -> Splat:
    (splat,) = parse(text)
    return splat


def told(text: str) -> str:
    stream = StringIO()
    render_splats(explain(parse(text), MEANINGS), console_for(stream))
    return stream.getvalue()


def sentences(splat: Splat) -> str:
    return "\n".join(line for section in account_of(splat, MEANINGS).sections for line in section.lines)


def test_every_kind_has_an_example() -> None:
    assert {path.stem for path in EXAMPLES.iterdir()} == set(IDS)


def test_the_kinds_are_those_of_the_kernel(shared: Path) -> None:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    listed = yaml.safe_load((shared / "rules" / "splats.yaml").read_text())["splats"]
    assert {kind["id"] for kind in listed} == set(IDS)


def in_a_log(text: str) -> str:
    return "".join(f"<4>[   12.{n:06}][  T123] {line}\n" for n, line in enumerate(text.splitlines()))


def quoted(text: str) -> str:
    return "Hi,\n\n" + textwrap.indent(text, "> > > ", lambda _: True) + "> nothing of it\nBest,\n"


def indented(text: str) -> str:
    return "We see this:\n\n" + textwrap.indent(text, "  ") + '\nand mend it.\n\nFixes: 123456789abc ("boat")\n'


@pytest.mark.parametrize("wrapped", [str, in_a_log, quoted, indented])
@pytest.mark.parametrize("kind", IDS)
def test_each_kind_is_read_in_every_form(kind: str, wrapped: Callable[[str], str]) -> None:
    plain, splat = only(example(kind)), only(wrapped(example(kind)))
    assert splat.kind == kind
    assert (splat.task, splat.wanted, splat.holding, splat.held) == (
        plain.task,
        plain.wanted,
        plain.holding,
        plain.held,
    )
    assert (splat.chain, splat.traces, splat.facts, splat.scenario) == (
        plain.chain,
        plain.traces,
        plain.facts,
        plain.scenario,
    )
    assert (splat.path, splat.number, splat.truncated) == (plain.path, plain.number, plain.truncated)


@pytest.mark.parametrize("kind", IDS)
def test_each_kind_is_told_with_what_is_particular_to_it(kind: str) -> None:
    text = " ".join(told(example(kind)).split())
    for words in SAID[kind]:
        assert words in text, text


SAID = {
    "lockdep-circular": (
        "oar (pid 77) on CPU 1 wants &harbour->lock {3:3} in boat_float() while it holds &boat->lock",
    ),
    "lockdep-recursive": ("wants &boat->lock/1 {3:3}", "lock(&boat->lock/1);"),
    "lockdep-irq-order": ("tide_lock is taken with hard interrupts enabled", "<Interrupt>"),
    "lockdep-inconsistent": ("Before, it was taken for writing with hard interrupts enabled", "IN-HARDIRQ-W"),
    "lockdep-irq-inversion": ("tide_lock is taken with softirqs enabled (SOFTIRQ-unsafe)",),
    "lockdep-wait-context": ("tide_raw_lock is held, inside which no lock above 2 may be taken; the one asked for",),
    "lockdep-nested-not-taken": ("The lock that is said to be above it, &harbour->lock, is not held.",),
    "lockdep-unlock-balance": ("releases &boat->lock in boat_sink()", "oar/77: none"),
    "lockdep-contention": ("waits for &boat->lock in boat_sink()",),
    "lockdep-held-freed": ("frees memory with &boat->lock {3:3} in harbour_open()",),
    "lockdep-exit-held": ("oar/77 #0 &boat->lock {3:3} in harbour_open()",),
    "lockdep-user-return": ("oar/77 #0 &boat->lock {3:3} in harbour_open()",),
    "lockdep-unregistered-key": ("boat_float() [boat]", "Lockdep was off"),
    "lockdep-chain-collision": ("It was oar (pid 77)",),
    "lockdep-limits": ("It says: BUG: MAX_LOCKDEP_KEYS too low!",),
    "rcu-suspicious": ("RCU says: suspicious rcu_dereference_check() usage.", "RCU is not watching this CPU"),
    "rcu-stall": ("It stands out: 1-....: (20999 ticks this GP).", "It lasts for 21000 jiffies."),
    "rcu-exp-stall": ("boat_float() [boat]",),
    "rcu-tasks-stall": ("boat_float() [boat]", "task oar in state R"),
    "rcu-voluntary-switch": ("The report names kernel/rcu/tree_plugin.h:320 in rcu_note_context_switch().",),
    "sleeping-function": (
        "preempt_count is 10001: preemption is disabled.",
        "a hard interrupt runs.",
        "Interrupts are disabled, since _raw_spin_lock_irqsave().",
        "(depth 1), entered by rcu_read_lock in boat_find().",
    ),
    "scheduling-while-atomic": ("preemption is disabled (2 times).", "Preemption was disabled in harbour_open()."),
    "assuming-atomic": ("The report names drivers/boat/float.c:42.",),
    "assuming-nonmigratable": ("The report names drivers/boat/float.c:42.",),
    "blocking-not-running": ("The state (0x2) was set in boat_wait().",),
    "smp-processor-id": ("smp_processor_id() was used by boat_float().",),
    "spinlock-debug": ("It is tide_lock+0x0/0x18", "owner <none>/-1 on CPU 0"),
    "rt-threaded-ctx": ("The report names drivers/boat/float.c:42 in boat_float().",),
    "hung-task": ("It lasts for 120 seconds so far.", "khungtaskd/33 #0 rcu_read_lock {1:2}"),
    "soft-lockup": ("It lasts for 26 seconds so far.", "oar (pid 77) on CPU 1"),
    "hard-lockup": ("oar (pid 77) on CPU 1",),
    "wq-lockup": ("It lasts for 33 seconds so far.",),
    "odebug": ("What was tried: free; the timer_list is active; its function is boat_timer().",),
    "nohz-softirq": ("Pending (0x282): TIMER, SCHED, RCU.",),
    "kvm-srcu-depth": ("At the lock the depth was 1.",),
    "kernel-warning": ("The report names drivers/boat/float.c:42 in boat_float().",),
    "objtool-noinstr": ("boat_enter+0x1c() in vmlinux.o calls boat_log().",),
    "smatch-atomic": ("In the call tree, boat_interrupt() disables preempt.",),
    "sparse-context": ("It says: wrong count at exit.",),
    "clang-context-analysis": ("calling function 'boat_float' requires holding",),
    "kcsan": ("data-race in boat_float / boat_sink.", "One side: write to 0xffff888101234568 of 8 bytes by task 77"),
}


def test_the_circle_is_read_from_the_chain() -> None:
    edges = edges_of(only(example("lockdep-circular")), MEANINGS)
    assert [(edge.held.label, edge.wanted.label, edge.now) for edge in edges] == [
        ("&harbour->lock", "&boat->lock", False),
        ("&boat->lock", "&harbour->lock", True),
    ]
    (told_as_data,) = json.loads(splats_to_json(explain(parse(example("lockdep-circular")), MEANINGS)))["splats"]
    assert [(arc["held"], arc["wanted"], arc["who"], arc["now"], arc["task"]) for arc in told_as_data["circle"]] == [
        ("&harbour->lock", "&boat->lock", "harbour_sweep()", False, ""),
        ("&boat->lock", "&harbour->lock", "boat_float()", True, "oar/77"),
    ]
    text = told(example("lockdep-circular"))
    assert "(1) harbour_sweep() took the next, seen before" in text
    assert "(2) boat_float() wants the first now, oar/77" in text


def test_lock_lines_that_a_mail_program_broke() -> None:
    text = example("lockdep-circular").replace(", at: ", ",\nat: ")
    assert only(text).held == only(example("lockdep-circular")).held
    text = example("lockdep-circular").replace("at: ", "at:\n")
    assert only(text).wanted == only(example("lockdep-circular")).wanted
    broken = example("sleeping-function").replace("context at ", "context at\n")
    assert (only(broken).path, only(broken).number) == ("drivers/boat/float.c", 42)


def test_decoded_and_doubtful_frames() -> None:
    text = example("sleeping-function").replace(
        " boat_float+0x20/0x90 [boat]\n",
        " boat_find drivers/boat/find.c:7 [inline]\n ? boat_sail+0x1/0x2 [boat]\n"
        " boat_float+0x20/0x90 drivers/boat/float.c:42\n",
    )
    frames = {frame.function: frame for frame in only(text).traces[-1].frames}
    assert frames["boat_find"].inline
    assert (frames["boat_find"].path, frames["boat_find"].line) == ("drivers/boat/find.c", 7)
    assert frames["boat_sail"].unsure
    assert (frames["boat_float"].path, frames["boat_float"].line) == ("drivers/boat/float.c", 42)


def test_several_in_one_mail() -> None:
    text = "\n".join(example(kind) for kind in IDS)
    assert [splat.kind for splat in parse(text)] == list(IDS)


@pytest.mark.parametrize(
    ("raw", "spin", "expected"),
    [("{2:2}", "{3:3}", True), ("{2:2}", "{2:2}", False)],
)
def test_the_numbers_are_read_by_what_the_report_shows(raw: str, spin: str, expected: bool) -> None:
    sleeping = "{4:4}" if expected else "{3:3}"
    text = (
        "BUG: scheduling while atomic: oar/77/0x00000002\n3 locks held by oar/77:\n"
        f" #0: ffff888101234568 (&mm->mmap_lock){{++++}}-{sleeping}, at: boat_float+0x20/0x90\n"
        f" #1: ffff888101234568 (&boat->lock){{....}}-{spin}, at: boat_float+0x20/0x90\n"
        f" #2: ffff888101234568 (&rq->__lock){{....}}-{raw}, at: boat_float+0x20/0x90\n"
    )
    said = sentences(only(text))
    assert f"CONFIG_PROVE_RAW_LOCK_NESTING is {'on' if expected else 'off'}" in said
    assert "Most likely" not in said
    assert (f"{spin}: a spinlock_t, rwlock_t or local_lock" in said) == expected


def test_a_cut_report_is_called_so_and_claims_no_circle() -> None:
    whole = example("lockdep-circular")
    splat = only(whole[: whole.index("which lock already depends")])
    assert splat.truncated
    said = sentences(splat)
    assert "does not show how the circle closes" in said
    assert "The report is not complete" in said


def test_a_number_is_hedged_where_the_report_does_not_show_how_the_kernel_was_configured() -> None:
    whole = example("lockdep-circular")
    cut = sentences(only(whole[: whole.index("which lock already depends")]))
    assert "; most likely a lock that sleeps (mutex, rw_semaphore)" in cut
    assert "{3:3}: most likely a lock that sleeps (mutex, rw_semaphore)." in cut
    said = sentences(only(whole))
    assert "{3:3}: a lock that sleeps (mutex, rw_semaphore)." in said
    assert "most likely" not in said.lower()


def test_a_real_lock_with_the_name_of_a_pseudo_lock_is_a_lock() -> None:
    text = example("lockdep-recursive").replace("&boat->lock/1", "fs_reclaim")
    assert "memory reclaim" not in sentences(only(text))
    assert "memory reclaim" in sentences(only(text.replace("{3:3}", "{0:0}")))


def test_nothing_reaches_the_terminal_as_it_is() -> None:
    text = example("lockdep-circular").replace("&boat->lock", "&boat\x1b]0;x\x07\u202e->lock")
    shown = told(text)
    assert not set(shown) & {"\x1b", "\x07", "\u202e"}
    assert (
        json.loads(splats_to_json(explain(parse(text), MEANINGS)))["splats"][0]["splat"]["kind"] == "lockdep-circular"
    )


def test_sizes_are_bounded() -> None:
    header = "WARNING: suspicious RCU usage\n"
    assert len(parse(header * (MAX_SPLATS + 5))) == MAX_SPLATS
    long = "BUG: sleeping function called from invalid context at " + "a" * 100_000 + ":1\n"
    assert parse(long) == ()
    held = "1 lock held by oar/77:\n #0: ffff888101234568 (" + "(" * 5000 + ")" * 5000 + "\n"
    splat = only(header + held)
    assert splat.truncated
    assert len(splat.header) <= MAX_LINE


def test_mail_without_a_report_has_none() -> None:
    assert parse("> lockdep did not complain about a possible circular locking dependency.\nWARNING: prose\n") == ()


@pytest.mark.parametrize("version", ["6.1", "6.12", "7.2"])
def test_what_the_tables_cite_is_in_the_trees(version: str, kernel_tree: Callable[[str], Path], tmp_path: Path) -> None:
    with closing(Repository.open(kernel_tree(version), tmp_path)) as repository:
        commit = repository.resolve("HEAD")
        citer = Citer(repository.snapshot(repository.tree_of(commit), commit), commit)
        for kind in MEANINGS.kinds.values():
            assert not kind.sources or citer.cite([source for source, _ in kind.sources]), kind.id
        for pseudo in MEANINGS.pseudos:
            for source, _ in pseudo.sources:
                assert citer.cite([source]), source


def test_sleeping_in_a_reader_cites_the_rule_for_readers() -> None:
    inside = example("sleeping-function").replace("preempt_count: 10001", "preempt_count: 0")
    inside = inside.replace("irqs_disabled(): 1", "irqs_disabled(): 0")
    assert account_of(only(inside), MEANINGS).sources[0].anchor == "but explicit blocking is illegal"
    assert account_of(only(example("sleeping-function")), MEANINGS).sources[0].path.endswith("locking.rst")


def test_a_rule_about_some_reports_of_a_kind_is_cited_for_those() -> None:
    timer = only(example("odebug"))
    work = only(example("odebug").replace("timer_list", "work_struct"))
    assert [bool(account_of(splat, MEANINGS).sources) for splat in (timer, work)] == [True, False]


def test_the_same_report_is_told_once_and_in_full() -> None:
    whole = example("lockdep-circular")
    cut = "".join(f"> {line}\n" for line in whole[: whole.index("the existing dependency")].splitlines())
    (one,) = explain(parse(f"{cut}\nSee above.\n{whole}\nand again\n{cut}"), MEANINGS)
    assert (one.repeats, one.splat.truncated) == (2, False)
    assert "It stands 2 times more" in told(f"{cut}\nSee above.\n{whole}\nand again\n{cut}")
    other = whole.replace("ffff888101234500", "ffff888109876500")
    assert len(explain(parse(whole + other), MEANINGS)) == 2


def test_a_reader_with_interrupts_on_does_not_make_a_spinlock_read_only() -> None:
    text = example("scheduling-while-atomic").replace("{....}-{2:2}", "{.+.+}-{2:2}")
    assert "for reading only" not in sentences(only(text))


def test_functions_are_found_by_name_in_the_tree(tmp_path: Path) -> None:
    tree = tmp_path / "linux"
    make(
        tree,
        {
            "include/linux/boat.h": "static inline void harbour_open(void) { }\n",
            "kernel/boat.c": "static int\nboat_float(int depth)\n{\n\treturn depth;\n}\n\n"
            "void harbour_open(void)\n{\n\tboat_float(1);\n}\n",
            "drivers/boat/sink.c": "static int boat_sink(int depth)\n{\n\treturn 0;\n}\n",
            "drivers/boat/sail.c": "int boat_sink(int);\n\nint boat_sail(void)\n{\n\treturn boat_sink(1);\n}\n",
            "mm/one.c": "static void harbour_sweep(void)\n{\n}\n",
            "mm/two.c": "static void harbour_sweep(void)\n{\n}\n",
            "Documentation/locking/lockdep-design.rst": "Multi-lock dependency rules:\n"
            "----------------------------\n\nHere two locks can not be taken in inverse order.\n",
        },
    )
    done = run(str(EXAMPLES / "lockdep-circular.txt"), "--repo", str(tree), "--format", "json")
    (found,) = json.loads(done.stdout)["splats"]
    assert {(place["function"], place["path"], place["line"], place["text"]) for place in found["functions"]} == {
        ("boat_float", "kernel/boat.c", 2, "boat_float(int depth)"),
        ("harbour_open", "kernel/boat.c", 7, "void harbour_open(void)"),
    }
    (sweep,) = found["several"]
    places = [(place["path"], place["line"]) for place in sweep["places"]]
    assert (sweep["name"], places) == ("harbour_sweep", [("mm/one.c", 1), ("mm/two.c", 1)])
    assert "harbour_sweep" not in found["not_found"]
    text = run(str(EXAMPLES / "lockdep-circular.txt"), "--repo", str(tree)).stdout
    assert "harbour_sweep() is defined 2 times: mm/one.c:1, mm/two.c:1" in " ".join(text.decode().split())
    log = example("lockdep-circular").replace("worker_thread", "boat_sink").encode()
    (found,) = json.loads(run("--repo", str(tree), "--format", "json", stdin=log).stdout)["splats"]
    assert ("drivers/boat/sink.c", 1) in {(place["path"], place["line"]) for place in found["functions"]}
    assert found["citation"]["quote"] == "Here two locks can not be taken in inverse order."
    assert b"kernel/boat.c:2" in run(str(EXAMPLES / "lockdep-circular.txt"), "--repo", str(tree)).stdout


def test_the_calls_that_smatch_tells_are_put_in_the_order_of_a_trace() -> None:
    tree = " boat_interrupt() <- disables preempt\n -> boat_sail()\n    -> boat_float()\n"
    text = example("smatch-atomic").replace("boat_interrupt() <- disables preempt\n-> boat_float()\n", tree)
    splat = only(text + "harbour_close() <- disables preempt\n-> boat_float()\n")
    assert [[frame.function for frame in trace.frames] for trace in splat.traces] == [
        ["boat_float", "boat_sail", "boat_interrupt"],
        ["boat_float", "harbour_close"],
    ]
    assert "boat_float() called by boat_sail() called by boat_interrupt()" in " ".join(told(text).split())


WARNS = """int boat_sail(void)
{
\tWARN_ON(1);
\treturn 0;
}

int boat_float(int depth)
{
\tif (WARN_ON_ONCE(depth < 0))
\t\treturn 0;

\tWARN(depth > 9, "deep");
\treturn depth;
}
"""


@pytest.mark.parametrize(
    ("line", "shown", "heading"),
    [
        (9, [(9, "if (WARN_ON_ONCE(depth < 0))")], b"That line in this tree:"),
        (42, [(9, "if (WARN_ON_ONCE(depth < 0))"), (12, 'WARN(depth > 9, "deep");')], b"That line is another"),
        (3, [(9, "if (WARN_ON_ONCE(depth < 0))"), (12, 'WARN(depth > 9, "deep");')], b"That line is another"),
    ],
)
def test_a_warning_is_found_in_the_tree(
    tmp_path: Path, line: int, shown: list[tuple[int, str]], heading: bytes
) -> None:
    make(tmp_path / "linux", {"drivers/boat/float.c": WARNS, "include/linux/boat.h": "int x;\n"})
    log = example("kernel-warning").replace("float.c:42", f"float.c:{line}").encode()
    words = ("--repo", str(tmp_path / "linux"))
    (found,) = json.loads(run(*words, "--format", "json", stdin=log).stdout)["splats"]
    assert [(step["line"], step["text"]) for step in found["named"]] == shown
    assert heading in run(*words, stdin=log).stdout


def test_a_line_that_does_not_fit_is_not_shown(tmp_path: Path) -> None:
    files = {"include/linux/boat.h": "int x;\n", "drivers/boat/float.c": "int a;\n" * 60}
    make(tmp_path / "linux", files)
    for kind in ("sleeping-function", "rcu-suspicious", "kernel-warning", "smatch-atomic"):
        log = example(kind).encode()
        (found,) = json.loads(run("--repo", str(tmp_path / "linux"), "--format", "json", stdin=log).stdout)["splats"]
        assert found["named"] == [], kind


def run(*words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "reviewer", "splat", *words], cwd=ROOT, input=stdin, capture_output=True, check=False
    )


def test_the_command_reads_logs_and_mail(tmp_path: Path) -> None:
    log = tmp_path / "dmesg.txt"
    log.write_text(in_a_log(example("lockdep-circular")))
    done = run(str(log))
    assert (done.returncode, b"locks taken in a circle" in done.stdout) == (1, True), done.stderr
    mail = f"From: A <a@example.org>\nSubject: x\nMessage-ID: <1@example.org>\n\n{quoted(example('kcsan'))}"
    report = json.loads(run("-", "--format", "json", stdin=mail.encode()).stdout)
    (found,) = report["splats"]
    assert (found["splat"]["kind"], found["splat"]["message_id"]) == ("kcsan", "1@example.org")
    done = run("-", stdin=b"all is well\n")
    assert (done.returncode, done.stdout) == (0, b"Note: There is no kernel report in it.\n")


def test_patches_of_the_thread_that_touch_the_locks_are_named(tmp_path: Path) -> None:
    patch = (
        "From: A <a@example.org>\nSubject: [PATCH {n}/2] boat: {what}\nMessage-ID: <{n}@example.org>\n"
        "References: <2@example.org>\n\n---\ndiff --git a/b.c b/b.c\n--- a/b.c\n+++ b/b.c\n"
        "@@ -1,3 +1,3 @@ static int {function}(int depth)\n one\n-two\n+three\n four\n--\n2.1\n\n"
    )
    mails = [
        patch.format(n=1, what="Sink", function="boat_sink"),
        patch.format(n=2, what="Float", function="boat_float"),
        "From: B <b@example.org>\nSubject: Re: [PATCH 2/2] boat: Float\nMessage-ID: <3@example.org>\n"
        f"In-Reply-To: <2@example.org>\nReferences: <2@example.org>\n\n{example('lockdep-circular')}\n",
    ]
    mbox = tmp_path / "thread.mbox"
    mbox.write_text("".join(f"From mboxrd@z Thu Jan  1 00:00:00 1970\n{mail}" for mail in mails))
    (found,) = json.loads(run(str(mbox), "--format", "json").stdout)["splats"]
    assert found["touched"] == [{"subject": "[PATCH 2/2] boat: Float", "names": ["boat_float"]}]
    assert b"[PATCH 2/2] boat: Float: boat_float" in run(str(mbox)).stdout


@pytest.mark.parametrize(
    ("line", "kind", "task"),
    [
        ("WARNING: drivers/boat/float.c:42 at boat_float+0x1/0x2, CPU#3: oar/77", "kernel-warning", Task("oar", 77)),
        ("INFO: task oar:77 blocked in I/O wait for more than 120 seconds.", "hung-task", Task("oar", 77)),
        ("INFO: task kworker/u8:3:77 blocked for more than 9 seconds.", "hung-task", Task("kworker/u8:3", 77)),
        ("[ INFO: possible circular locking dependency detected ]", "lockdep-circular", None),
        ("[ INFO: suspicious RCU usage. ]", "rcu-suspicious", None),
        ("BUG: rwlock wrong CPU on CPU#0, oar/77, 00000000deadbeef", "spinlock-debug", Task("oar", 77)),
        ("rcu: INFO: rcu_sched detected stalls on CPUs/tasks:", "rcu-stall", None),
        ("watchdog: CPU2: Watchdog detected hard LOCKUP on cpu 3", "hard-lockup", None),
    ],
)
def test_headers_of_other_kernels(line: str, kind: str, task: Task | None) -> None:
    splat = only(line)
    assert (splat.kind, splat.task) == (kind, task)


def test_the_mmu_notifier_seed(shared: Path, golden: Callable[[str, str], None]) -> None:
    (seed,) = (shared / "seeds").glob("004_*.txt")
    golden("splat-mmu-notifier.txt", told(seed.read_text()))
