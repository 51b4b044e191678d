# SPDX-License-Identifier: GPL-2.0-or-later
"""How long the program takes and how much memory it needs on a real 6.12: ``python -m tests.benchmark``.

Wants KERNEL_TREES with linux-6.12 and rt-6.12. What is measured:

first         a patch to one file, with an empty cache of the program; two files
warm          a patch to one file, when another patch to it was reviewed before
second        the same patch again
pull          a patch on top of new commits, when one below them was reviewed before
queue         the PREEMPT_RT queue as a thread: cold; warm, with a patch put before the others, so that all trees are
              new; and again
audit         all files of two folders, cold and warm

and only where it is asked for with ``--only``:

first-files   as first, for each of the files of warm
first-sample  as first, for ``--count`` functions of the tree, drawn by ``--seed``

What the operating system keeps of the tree's files is left to it. Memory is the greatest resident set of one process,
the program's or that of a git that it ran. Ends with 1 where a limit is passed: ``--limit warm-median=1.5``.
``--profile`` says by phase where the time of the slowest of the warm patches went.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

from rich.console import Console

from tests.kernels import ROOT, KernelClone
from tests.mails import mail, mboxrd
from tests.measure.figures import WANTED, Measure, Took, limit, passed, table
from tests.measure.phases import phases_of
from tests.measure.sample import drawn, with_line
from tests.repos import git, git_bytes
from tests.test_rt_queue import ID, names, posted

# One file each, with two functions: a patch to the first has been reviewed when one to the second is measured.
FILES: Final = {
    "virt/kvm/kvm_main.c": ("kvm_vm_ioctl_create_vcpu", "kvm_vcpu_kick"),
    "arch/x86/kvm/mmu/mmu.c": ("kvm_mmu_load", "kvm_mmu_unload"),
    "arch/x86/kernel/kvm.c": ("kvm_guest_cpu_init", "kvm_async_pf_task_wake"),
    "kernel/sched/core.c": ("try_to_wake_up", "resched_cpu"),
    "kernel/time/hrtimer.c": ("hrtimer_reprogram", "retrigger_next_event"),
    "mm/page_alloc.c": ("__alloc_pages_slowpath", "__free_pages"),
    "net/core/dev.c": ("register_netdevice", "dev_fill_metadata_dst"),
    "fs/ext4/inode.c": ("ext4_evict_inode", "ext4_write_end"),
    "block/blk-mq.c": ("__blk_mq_end_request", "blk_mq_delay_run_hw_queues"),
    "drivers/usb/core/hub.c": ("usb_set_device_state", "hub_handle_remote_wakeup"),
    "drivers/net/ethernet/intel/e1000e/phy.c": ("e1000e_setup_copper_link", "e1000e_phy_sw_reset"),
    "sound/core/pcm_native.c": ("snd_pcm_release_substream", "snd_pcm_group_init"),
}
FIRST: Final = ("arch/x86/kernel/kvm.c", "drivers/usb/core/hub.c")
FOLDERS: Final = ("arch/x86/kvm", "virt/kvm")
PARTS: Final = ("first", "warm", "pull", "queue", "audit")
ASKED_FOR: Final = ("first-files", "first-sample")
_PULLED: Final = 500  # commits


def run(cache: Path, *arguments: str, profile: Path | None = None) -> Took:
    """Run the program."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(cache)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment["PYTHONPYCACHEPREFIX"] = str(cache.parent / "bytecode")
    profiled = ("-m", "cProfile", "-o", str(profile)) if profile is not None else ()
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, *profiled, "-m", "reviewer", *arguments], env=environment, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        raise SystemExit(f"reviewer {' '.join(arguments)} ended with {process.returncode}")
    return Took(time.monotonic() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss // 1024)


def changed(clone: KernelClone, path: str, function: str, parent: str | None = None) -> str:
    """A commit that puts a line into ``function``."""
    text = with_line(git_bytes(clone.path, "show", f"{parent or clone.base}:{path}"), function)
    if text is None:
        raise SystemExit(f"{path} of this tree has no {function}()")
    return clone.commit({path: text}, f"{path}: Change a line\n", parent)


def check(clone: KernelClone, commit: str) -> tuple[str, ...]:
    """The command that reviews one commit."""
    return ("check", f"{commit}^!", "--repo", str(clone.path), "--format", "json")


def first_uses(clone: KernelClone, work: Path, functions: Iterable[tuple[str, str]]) -> tuple[Took, ...]:
    """One patch to each of the functions, given with their files, each with an empty cache."""
    took: dict[tuple[str, str], Took] = {}
    for path, function in functions:
        commit = changed(clone, path, function)
        cache = work / "first"
        took[path, function] = run(cache, *check(clone, commit))
        shutil.rmtree(cache)
        print(f"{took[path, function].seconds:6.2f} s  {path}: {function}()", flush=True)
    slowest = max(took, key=lambda function: took[function].seconds)
    print(f"{took[slowest].seconds:6.2f} s  the slowest: {slowest[1]}() of {slowest[0]}", flush=True)
    return tuple(took.values())


def first_use(clone: KernelClone, work: Path) -> list[Measure]:
    """With an empty cache."""
    runs = first_uses(clone, work, ((path, FILES[path][1]) for path in FIRST))
    return [Measure("first", "one-file patch, new tree", runs)]


def first_use_of_files(clone: KernelClone, work: Path) -> list[Measure]:
    """The same for each of the files."""
    runs = first_uses(clone, work, ((path, functions[1]) for path, functions in FILES.items()))
    return [Measure("first-files", "one-file patch, new tree", runs)]


def first_use_of_sample(clone: KernelClone, work: Path, count: int, seed: int) -> list[Measure]:
    """The same for functions drawn at random."""
    what, within = f"a function of the tree, new tree, seed {seed}", WANTED["first-sample-worst"]
    return [Measure("first-sample", what, first_uses(clone, work, drawn(clone, count, seed)), within)]


def one_file(clone: KernelClone, work: Path, profile: Path | None) -> list[Measure]:
    """After another patch to the file, and again."""
    cache = work / "warm"
    warm, second = {}, []
    for path, (before, function) in FILES.items():
        run(cache, *check(clone, changed(clone, path, before)))
        commit = changed(clone, path, function)
        warm[path] = run(cache, *check(clone, commit))
        second.append(run(cache, *check(clone, commit)))
        print(f"{path:<44} warm {warm[path].seconds:6.2f} s, again {second[-1].seconds:6.2f} s", flush=True)
    if profile is not None:
        slowest = max(warm, key=lambda path: warm[path].processor)
        first = changed(clone, slowest, FILES[slowest][1])
        run(cache, *check(clone, changed(clone, slowest, FILES[slowest][0], first)), profile=profile)
        print(f"\n{slowest}, under a profiler:")
        told(phases_of(profile))
    return [
        Measure("warm", "one-file patch, its file reviewed before", tuple(warm.values())),
        Measure("second", "the same again", tuple(second)),
    ]


def told(phases: dict[str, float]) -> None:
    """Print seconds by phase."""
    whole = sum(phases.values()) or 1.0
    for phase, seconds in phases.items():
        print(f"  {phase:<24} {seconds:7.2f} s {100 * seconds / whole:5.1f} %")


def pulled(clone: KernelClone, work: Path) -> list[Measure]:
    """A patch to a file, before and after commits that change other files."""
    path, (before, function) = "kernel/time/hrtimer.c", FILES["kernel/time/hrtimer.c"]
    cache = work / "pull"
    run(cache, *check(clone, changed(clone, path, before)))
    tip = many_commits(clone, _PULLED)
    return [
        Measure(
            "pull",
            f"one-file patch after {_PULLED} commits",
            (run(cache, *check(clone, changed(clone, path, function, tip))),),
        )
    ]


def many_commits(clone: KernelClone, number: int) -> str:
    """That many commits on top of the base, each of which adds a comment to another C file; the last one."""
    listed = git(clone.path, "ls-tree", "-r", "--name-only", clone.base, "drivers", "fs", "net", "sound").split("\n")
    files = [path for path in listed if path.endswith(".c")]
    chosen = files[:: len(files) // number][:number]
    stream = b"feature done\n"
    for at, path in enumerate(chosen):
        text = git_bytes(clone.path, "show", f"{clone.base}:{path}") + b"/* one more */\n"
        above = b"from %b\n" % clone.base.encode() if at == 0 else b""
        stream += b"commit refs/heads/pulled\ncommitter Ann <ann@example.com> 0 +0000\ndata 5\nPull\n" + above
        stream += b"M 100644 inline %b\ndata %d\n%b\n" % (path.encode(), len(text), text)
    git(clone.path, "fast-import", "--quiet", "--force", stdin=stream + b"done\n")
    return git(clone.path, "rev-parse", "refs/heads/pulled")


def rt_queue(clone: KernelClone, queue: Path, work: Path) -> list[Measure]:
    """``reviewer review`` of the PREEMPT_RT queue as a thread."""
    patches = [(queue / name).read_bytes() for name in names(queue)]
    prelude = git_bytes(
        clone.path, "format-patch", "--stdout", "-1", clone.commit({"Documentation/note.txt": "A note.\n"}, "A note\n")
    )
    cache = work / "queue"
    cold, warm, again = (
        run(
            cache, "review", str(thread(work / name, posts)), "--offline", "--repo", str(clone.path), "--format", "json"
        )
        for name, posts in (("one", patches), ("two", [prelude, *patches]), ("two", [prelude, *patches]))
    )
    return [
        Measure("queue-cold", f"{len(patches)} patches of PREEMPT_RT, empty cache", (cold,)),
        Measure("queue-warm", "the same on another tree", (warm,)),
        Measure("queue-second", "the same again", (again,)),
    ]


def thread(path: Path, patches: Sequence[bytes]) -> Path:
    """The patches as a mailbox with a cover letter."""
    cover = mail(f"[PATCH 00/{len(patches)}] PREEMPT_RT", ID.format(0), b"All of it.\n")
    numbered = (
        re.sub(
            rb"^Subject: (?:\[PATCH[^]]*\] )?",
            b"Subject: [PATCH %02d/%d] " % (number, len(patches)),
            patch,
            count=1,
            flags=re.MULTILINE,
        )
        for number, patch in enumerate(patches, 1)
    )
    path.write_bytes(mboxrd(cover, *(posted(patch, number) for number, patch in enumerate(numbered, 1))))
    return path


def audit(clone: KernelClone, work: Path) -> list[Measure]:
    """``reviewer check --all`` of KVM."""
    command = ("check", "--all", *FOLDERS, "--repo", str(clone.path), "--format", "json")
    cold, warm = run(work / "audit", *command), run(work / "audit", *command)
    where = " and ".join(FOLDERS)
    return [
        Measure("audit-cold", f"all of {where}, empty cache", (cold,)),
        Measure("audit-warm", "the same again", (warm,)),
    ]


def main() -> int:
    """Measure and print; 1 where a limit was passed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmark", description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "--limit",
        action="append",
        type=limit,
        default=[],
        metavar="NAME=NUMBER",
        help="end with 1 where the figure of this name is greater; repeatable",
    )
    parser.add_argument(
        "--only", action="append", choices=(*PARTS, *ASKED_FOR), help="measure this part alone; repeatable"
    )
    parser.add_argument("--count", type=int, default=100, help="functions of first-sample")
    parser.add_argument("--seed", type=int, default=1, help="of the choice of these functions")
    parser.add_argument("--profile", action="store_true", help="say where the time of the slowest warm patch goes")
    given = parser.parse_args()
    trees = Path(os.environ.get("KERNEL_TREES") or "~/.cache/kernel-trees").expanduser()
    os.environ.update(GIT_AUTHOR_NAME="Jane", GIT_AUTHOR_EMAIL="jane@example.org")
    os.environ.update(GIT_COMMITTER_NAME="Jane", GIT_COMMITTER_EMAIL="jane@example.org")
    measures: list[Measure] = []
    with tempfile.TemporaryDirectory(prefix="reviewer-benchmark-") as folder:
        work = Path(folder)
        git(work, "clone", "--quiet", "--shared", "--bare", str(trees / "linux-6.12"), "linux.git")
        clone = KernelClone(work / "linux.git", git(work / "linux.git", "rev-parse", "HEAD"))
        parts: dict[str, Callable[[], list[Measure]]] = {
            "first": lambda: first_use(clone, work),
            "first-files": lambda: first_use_of_files(clone, work),
            "first-sample": lambda: first_use_of_sample(clone, work, given.count, given.seed),
            "warm": lambda: one_file(clone, work, work / "profile" if given.profile else None),
            "pull": lambda: pulled(clone, work),
            "queue": lambda: rt_queue(clone, trees / "rt-6.12", work),
            "audit": lambda: audit(clone, work),
        }
        # Not measured: the first run alone would pay for compiling Python's modules, which an installation does.
        run(work / "compiled", *check(clone, changed(clone, FIRST[0], FILES[FIRST[0]][0])))
        for name in given.only or PARTS:
            measures += parts[name]()
    Console().print(table(measures))
    for measure in measures:
        if (sentence := measure.in_time) is not None:
            print(sentence)
    exceeded = passed(measures, dict(given.limit))
    for sentence in exceeded:
        print(sentence)
    return 1 if exceeded else 0


if __name__ == "__main__":
    sys.exit(main())
