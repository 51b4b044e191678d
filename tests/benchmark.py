# SPDX-License-Identifier: GPL-2.0-or-later
"""How long the program takes and how much memory it needs on a real 6.12; run by hand: ``python -m tests.benchmark``.

Wants KERNEL_TREES with linux-6.12 and rt-6.12. Cold means an empty cache of the program; what the operating system
keeps of the tree's files is left to it. Memory is the greatest resident set of the program or of a git that it ran.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from reviewer.config import Options, data_dir
from reviewer.mail.draft import compose, write
from reviewer.mail.fetch import fetch
from reviewer.mail.series import series_of
from reviewer.model import Address, Applied, Base
from reviewer.pipeline import review_series
from reviewer.registry import load_checks
from reviewer.tree.overlay import Overlay
from reviewer.tree.repository import Repository
from tests.kernels import ROOT, KernelClone
from tests.mails import mail, mboxrd
from tests.repos import git
from tests.test_rt_queue import ID, names, posted
from tests.test_seed_async_pf import ALLOCATION, FILE, undone

# One file each, and the first line of a function into which a line is put.
FILES: Final = {
    "virt/kvm/kvm_main.c": "void kvm_vcpu_kick(struct kvm_vcpu *vcpu)\n{\n",
    "arch/x86/kernel/kvm.c": "void kvm_async_pf_task_wake(u32 token)\n{\n",
    "arch/x86/kvm/mmu/mmu.c": "void kvm_mmu_unload(struct kvm_vcpu *vcpu)\n{\n",
    "kernel/sched/core.c": "void resched_cpu(int cpu)\n{\n",
    "mm/page_alloc.c": "void __free_pages(struct page *page, unsigned int order)\n{\n",
    "drivers/net/ethernet/intel/e1000e/phy.c": "s32 e1000e_phy_sw_reset(struct e1000_hw *hw)\n{\n",
}


def run(cache: Path, *arguments: str) -> tuple[float, int]:
    """Run the program; wall time in seconds, memory in MiB."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(cache)}
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "reviewer", *arguments], env=environment, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        raise SystemExit(f"reviewer {' '.join(arguments)} ended with {process.returncode}")
    return time.monotonic() - started, usage.ru_maxrss // 1024


def told(what: str, cold: tuple[float, int], warm: tuple[float, int]) -> None:
    """Print one line."""
    print(f"{what:<56} cold {cold[0]:6.2f} s {cold[1]:4} MiB   warm {warm[0]:6.2f} s {warm[1]:4} MiB", flush=True)


@contextmanager
def stopwatch(what: str) -> Iterator[None]:
    """Print how long the block took."""
    started = time.monotonic()
    yield
    print(f"{what:<56} {time.monotonic() - started:11.2f} s", flush=True)


def one_file_commits(clone: KernelClone, work: Path) -> None:
    """``reviewer check`` of a commit that changes one file."""
    shared = work / "shared-cache"
    for path, start in FILES.items():
        text = clone.read(path)
        if start not in text:
            raise SystemExit(f"{path} of this tree has no {start!r}")
        commit = clone.commit({path: text.replace(start, f"{start}\tbarrier();\n")}, f"{path}: Change a line\n")
        command = ("check", f"{commit}^!", "--repo", str(clone.path), "--format", "json")
        alone = work / f"cache-{commit}"
        told(f"check, {path}", run(alone, *command), run(alone, *command))
        run(shared, *command)
        seconds, memory = run(shared, *command)
        print(f"{'':<56} with a cache of more: {seconds:.2f} s {memory} MiB")


def rt_queue(clone: KernelClone, queue: Path, work: Path) -> None:
    """``reviewer review`` of the PREEMPT_RT queue as a thread, and applying it alone."""
    patches = [(queue / name).read_bytes() for name in names(queue)]
    cover = mail(f"[PATCH 00/{len(patches)}] PREEMPT_RT", ID.format(0), b"All of it.\n")
    thread = work / "queue.mbox"
    thread.write_bytes(mboxrd(cover, *(posted(patch, number) for number, patch in enumerate(patches, 1))))
    command = ("review", str(thread), "--offline", "--repo", str(clone.path), "--format", "json")
    cache = work / "queue-cache"
    told(f"review, {len(patches)} patches of PREEMPT_RT", run(cache, *command), run(cache, *command))
    series = series_of(fetch(str(thread)))
    with closing(Repository.open(clone.path)) as repository, Overlay(repository, work / "overlays") as overlay:
        with stopwatch(f"apply, {len(patches)} patches of PREEMPT_RT"):
            applied = overlay.apply(series.patches, Base(clone.base, ""))
        if any(patch.applied is not Applied.YES for patch in applied):
            raise SystemExit("not all of them apply")


def drafted(clone: KernelClone, work: Path) -> None:
    """Composing and writing the draft for a patch with two findings."""
    before = undone(clone.read(FILE))
    proposed = before.replace(ALLOCATION, f"\t\traw_spin_unlock(&b->lock);\n{ALLOCATION}\t\traw_spin_lock(&b->lock);\n")
    base = clone.commit({FILE: before}, "x86/kvm: Allocate under the lock\n")
    commit = clone.commit({FILE: proposed.replace("GFP_ATOMIC", "GFP_KERNEL")}, "x86/kvm: Do not\n", base)
    thread = work / "patch.mbox"
    thread.write_bytes(mboxrd(clone.mail(commit, "patch@example.org")))
    options = Options(base=base, cache_dir=work / "draft-cache")
    with closing(Repository.open(clone.path)) as repository:
        review = review_series(
            series_of(fetch(str(thread))), repository, load_checks([data_dir("checks")], "*"), options
        )
    with stopwatch("drafts, 1 mail with 2 findings"):
        drafts = compose(review, sender=Address("Jane Reviewer", "jane@example.org"))
        write(drafts, work / "drafts")
    if len(drafts) != 1:
        raise SystemExit(f"{len(drafts)} drafts instead of one")


def main() -> None:
    """Measure and print."""
    trees = Path(os.environ.get("KERNEL_TREES") or "~/.cache/kernel-trees").expanduser()
    os.environ.update(GIT_AUTHOR_NAME="Jane", GIT_AUTHOR_EMAIL="jane@example.org")
    os.environ.update(GIT_COMMITTER_NAME="Jane", GIT_COMMITTER_EMAIL="jane@example.org")
    with tempfile.TemporaryDirectory(prefix="reviewer-benchmark-") as folder:
        work = Path(folder)
        git(work, "clone", "--quiet", "--shared", "--bare", str(trees / "linux-6.12"), "linux.git")
        clone = KernelClone(work / "linux.git", git(work / "linux.git", "rev-parse", "HEAD"))
        one_file_commits(clone, work)
        rt_queue(clone, trees / "rt-6.12", work)
        drafted(clone, work)


if __name__ == "__main__":
    main()
