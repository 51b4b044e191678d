# SPDX-License-Identifier: GPL-2.0-or-later
"""The user's repository: found in whatever shape, read and never obeyed or written."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from reviewer.errors import RepositoryError
from reviewer.model import Address, Base
from reviewer.tree.history import commits_of
from reviewer.tree.overlay import Overlay
from reviewer.tree.repository import Repository
from tests.repos import diff, fingerprint, git, git_bytes, make, patch

FILES = {
    "MAINTAINERS": "List of maintainers\n",
    "kernel/sched/core.c": "int schedule(void)\n{\n\treturn pick_next_task();\n}\n",
    "kernel/sched/sched.h": "int pick_next_task(void);\n",
    "virt/kvm/kvm_main.c": "int kvm_sched(void)\n{\n\treturn schedule();\n}\n",
}


@pytest.fixture
def kernel(tmp_path: Path) -> Path:
    """A repository that looks a little like a kernel tree."""
    make(tmp_path / "linux", FILES)
    return tmp_path / "linux"


@pytest.fixture
def opened(kernel: Path) -> Iterator[Repository]:
    """The same, opened."""
    with closing(Repository.open(kernel)) as repository:
        yield repository


def read_all(repository: Repository) -> dict[str, bytes | None]:
    """Every file of HEAD."""
    commit = repository.resolve("HEAD")
    snapshot = repository.snapshot(repository.tree_of(commit), commit)
    return {path: snapshot.read(path) for path in snapshot.paths()}


def expected() -> dict[str, bytes | None]:
    """What ``read_all`` is to give for the kernel."""
    return {path: text.encode() for path, text in FILES.items()}


# Finding and opening


def test_a_folder_below_the_top_finds_the_repository(kernel: Path) -> None:
    with closing(Repository.open(kernel / "virt" / "kvm")) as repository:
        assert repository.git_dir == kernel / ".git"
        assert read_all(repository) == expected()


def test_without_a_path_the_current_folder_counts(kernel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(kernel / "kernel")
    with closing(Repository.open()) as repository:
        assert repository.git_dir == kernel / ".git"


def test_a_bare_repository_works(kernel: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(kernel), "bare.git")
    with closing(Repository.open(tmp_path / "bare.git")) as repository:
        assert read_all(repository) == expected()


def test_a_linked_work_tree_works(kernel: Path, tmp_path: Path) -> None:
    git(kernel, "worktree", "add", "--quiet", "-b", "topic", str(tmp_path / "linked"))
    make(tmp_path / "linked", {"new.c": "int x;\n"}, "On the topic")
    with closing(Repository.open(tmp_path / "linked")) as repository:
        assert read_all(repository) == {**expected(), "new.c": b"int x;\n"}


def test_a_clone_that_borrows_objects_works(kernel: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--shared", str(kernel), "borrower")
    git(tmp_path, "clone", "--quiet", "--shared", "borrower", "borrower of the borrower")
    with closing(Repository.open(tmp_path / "borrower of the borrower")) as repository:
        assert read_all(repository) == expected()


def test_a_repository_with_sha256_ids_works(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--object-format=sha256", "linux")
    old = make(tmp_path / "linux", FILES)
    new = make(tmp_path / "linux", {"MAINTAINERS": "Nobody\n"}, "Second")
    with closing(Repository.open(tmp_path / "linux")) as repository:
        assert read_all(repository)["MAINTAINERS"] == b"Nobody\n"
        with Overlay(repository, tmp_path / "cache") as overlay:
            (applied,) = overlay.apply([patch(diff(tmp_path / "linux", old, new))], Base(old, ""))
            assert applied.after == repository.tree_of(new)


@pytest.mark.parametrize("name", ["with space", "with:colon", 'with"quote', "naïve", "line\nbreak", "-dash", "#hash"])
def test_a_repository_in_an_oddly_named_folder_works(name: str, tmp_path: Path) -> None:
    old = make(tmp_path / name, FILES)
    new = make(tmp_path / name, {"MAINTAINERS": "Nobody\n"}, "Second")
    with closing(Repository.open(tmp_path / name)) as repository:
        assert read_all(repository)["MAINTAINERS"] == b"Nobody\n"
        with Overlay(repository, tmp_path / "cache") as overlay:
            (applied,) = overlay.apply([patch(diff(tmp_path / name, old, new))], Base(old, ""))
            assert applied.after == repository.tree_of(new)


def test_no_repository_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match=r"is not in a git repository.*--repo"):
        Repository.open(tmp_path)


def test_a_path_that_is_no_folder_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="is not a folder"):
        Repository.open(tmp_path / "nothing here")


def test_a_repository_without_commits_is_said_plainly(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    with closing(Repository.open(tmp_path)) as repository, pytest.raises(RepositoryError, match="no commit yet"):
        repository.resolve("HEAD")


def test_somebody_elses_repository_is_refused_with_gits_advice(kernel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(RepositoryError, match=r"somebody else owns it(?s:.*)git config --global --add safe\.directory"):
        Repository.open(kernel)


def test_git_missing_is_said_plainly(kernel: Path, tmp_path: Path) -> None:
    program = (
        "import sys\nfrom pathlib import Path\nfrom reviewer.errors import RepositoryError\n"
        "from reviewer.tree.repository import Repository\n"
        "try:\n    Repository.open(Path(sys.argv[1]))\nexcept RepositoryError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(kernel)],
        env={"PATH": str(tmp_path), "PYTHONPATH": str(Path(__file__).parent.parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "git: it is not installed or not on PATH" in done.stdout
    assert done.stderr == ""


# Revisions


def test_every_way_of_naming_a_commit_resolves(opened: Repository, kernel: Path) -> None:
    commit = git(kernel, "rev-parse", "HEAD")
    git(kernel, "tag", "-a", "-m", "A tag", "v6.12")
    for name in ("HEAD", "@", "master", "v6.12", commit[:12], commit, "HEAD^{/First}"):
        assert opened.resolve(name) == commit


@pytest.mark.parametrize(
    "rev", ["v9.9", "", "--all", "-n1", "HEAD\nHEAD", "HEAD\0", "HEAD^", "HEAD:MAINTAINERS", "a..b"]
)
def test_what_names_no_commit_is_refused(opened: Repository, rev: str) -> None:
    with pytest.raises(RepositoryError, match="names no commit"):
        opened.resolve(rev)


def test_a_shallow_clone_says_how_to_get_more(kernel: Path, tmp_path: Path) -> None:
    make(kernel, {"MAINTAINERS": "Nobody\n"}, "Second")
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{kernel}", "shallow")
    with closing(Repository.open(tmp_path / "shallow")) as repository:
        assert read_all(repository)["MAINTAINERS"] == b"Nobody\n"
        with pytest.raises(RepositoryError, match="shallow, `git fetch --unshallow`"):
            repository.resolve("HEAD~1")


# Configuration


def test_the_user_is_whom_git_is_configured_for(opened: Repository) -> None:
    assert opened.user() == Address("Jane Reviewer", "jane@example.org")


def test_without_an_address_there_is_no_user(kernel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").write_text("")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "empty"))
    with closing(Repository.open(kernel)) as repository:
        assert repository.user() is None


def test_configuration_is_read_as_git_reads_it(kernel: Path) -> None:
    git(kernel, "config", "Reviewer.Lore", "https://one.example")
    git(kernel, "config", "--add", "reviewer.lore", "https://two.example/a=b\nc")
    git(kernel, "config", "branch.Topic.Merge", "x")
    (kernel / ".git" / "config").open("a").write("[reviewer]\n\toffline\n")
    with closing(Repository.open(kernel)) as repository:
        assert repository.config("reviewer.LORE") == "https://two.example/a=b\nc"
        assert repository.config("branch.Topic.merge") == "x"
        assert repository.config("branch.topic.merge") is None
        assert repository.config("reviewer.offline") == "true"
        assert repository.config("core.fsmonitor") is None


def test_options_of_the_git_command_around_a_hook_count(kernel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_PARAMETERS", "'reviewer.severity'='nit'")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "reviewer.checks")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "rt-*")
    with closing(Repository.open(kernel)) as repository:
        assert (repository.config("reviewer.severity"), repository.config("reviewer.checks")) == ("nit", "rt-*")


# Hostile configuration and environment


def test_nothing_that_the_repository_configures_is_run(kernel: Path, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\necho "$0 $*" >> "{marker}"\nexit 0\n')
    program.chmod(0o755)
    (kernel / ".gitattributes").write_text("* filter=evil diff=evil merge=evil\n")
    make(kernel, {}, "Attributes")
    (kernel / ".git" / "info").mkdir(exist_ok=True)
    (kernel / ".git" / "info" / "attributes").write_text("* filter=evil diff=evil merge=evil\n")
    old = git(kernel, "rev-parse", "HEAD")
    new = make(kernel, {"MAINTAINERS": "Nobody\n", "kernel/sched/core.c": None}, "Second")
    text = diff(kernel, old, new).replace(b"List of", b"Lists of")
    hooks = kernel / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for hook in ("post-index-change", "reference-transaction", "pre-auto-gc", "fsmonitor-watchman"):
        (hooks / hook).write_bytes(program.read_bytes())
        (hooks / hook).chmod(0o755)
    for key in (
        *("core.fsmonitor", "core.sshCommand", "core.pager", "core.editor", "core.askPass", "core.gitProxy"),
        *("core.alternateRefsCommand", "diff.external", "diff.evil.command", "diff.evil.textconv", "gpg.program"),
        *("merge.evil.driver", "filter.evil.clean", "filter.evil.smudge", "filter.evil.process", "pager.log"),
        *(
            "credential.helper",
            "sequence.editor",
            "interactive.diffFilter",
            "alias.log",
            "alias.grep",
            "gc.recentObjectsHook",
        ),
    ):
        git(kernel, "config", key, f"!{program}" if key.startswith("alias") else str(program))
    git(kernel, "config", "core.hooksPath", str(hooks))
    git(kernel, "config", "log.showSignature", "true")
    with closing(Repository.open(kernel)) as repository:
        read_all(repository)
        commits_of(repository, f"{old}..{new}")
        snapshot = repository.snapshot(repository.tree_of(new), new)
        snapshot.mentioning(frozenset({"schedule"}), ())
        with Overlay(repository, tmp_path / "cache") as overlay:
            overlay.apply([patch(text)], Base(old, ""))
    assert not marker.exists(), marker.read_text()


def test_inside_a_hook_the_hooks_repository_is_meant(
    kernel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path / "other", {"other.c": "int x;\n"})
    monkeypatch.chdir(kernel)
    monkeypatch.setenv("GIT_DIR", ".git")
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/next-index-77.lock")
    monkeypatch.setenv("GIT_WORK_TREE", "/nonexistent")
    monkeypatch.setenv("GIT_PREFIX", "virt/")
    before = fingerprint_without_environment(kernel, monkeypatch)
    old = git_in(kernel, "rev-parse", "HEAD")
    text = b"--- a/MAINTAINERS\n+++ b/MAINTAINERS\n@@ -1 +1 @@\n-List of maintainers\n+Nobody\n"
    with closing(Repository.open()) as repository:
        assert read_all(repository) == expected()
        with Overlay(repository, tmp_path / "cache") as overlay:
            (applied,) = overlay.apply([patch(text)], Base(old, ""))
            assert applied.failures == ()
    with closing(Repository.open(tmp_path / "other")) as repository:
        assert list(read_all(repository)) == ["other.c"]
    assert fingerprint_without_environment(kernel, monkeypatch) == before


def git_in(where: Path, *arguments: str) -> str:
    """git, with the environment of a hook still around it."""
    done = subprocess.run(["git", *arguments], cwd=where, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def fingerprint_without_environment(kernel: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The fingerprint, taken outside of the hook."""
    with monkeypatch.context() as plain:
        for name in [n for n in os.environ if n in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE", "GIT_PREFIX")]:
            plain.delenv(name)
        return fingerprint(kernel)


def test_objects_that_a_push_brings_are_seen_by_its_hook(
    kernel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", str(kernel), "server.git")
    program = tmp_path / "server.git" / "hooks" / "pre-receive"
    program.parent.mkdir(exist_ok=True)
    root = Path(__file__).parent.parent
    program.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(root)!r})\nfrom pathlib import Path\n"
        "from reviewer.tree.repository import Repository\nfrom reviewer.tree.history import commits_of\n"
        "from reviewer.tree.overlay import Overlay\n"
        "old, new, name = sys.stdin.read().split()\nrepository = Repository.open()\n"
        "base, (commit,) = commits_of(repository, f'{old}..{new}')\n"
        f"with Overlay(repository, Path({str(tmp_path / 'cache')!r})) as overlay:\n"
        "    (applied,) = overlay.apply([commit.patch], base)\n"
        "    print('same tree:', applied.after == commit.after)\n"
    )
    program.chmod(0o755)
    make(kernel, {"MAINTAINERS": "Nobody\n"}, "Second")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    done = subprocess.run(
        ["git", "push", str(tmp_path / "server.git"), "HEAD:master"],
        cwd=kernel,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "same tree: True" in done.stderr, done.stderr
    assert done.returncode == 0


def test_nothing_is_written_by_reading(kernel: Path) -> None:
    (kernel / "MAINTAINERS").touch()  # git status would refresh the index now
    before = fingerprint(kernel)
    with closing(Repository.open(kernel)) as repository:
        read_all(repository)
        snapshot = repository.snapshot(repository.tree_of("HEAD"))
        snapshot.mentioning(frozenset({"schedule"}), ())
        list(snapshot.read_blobs(oid for _, oid in snapshot.blobs()))
    assert fingerprint(kernel) == before


# Snapshots


def test_a_snapshot_answers_about_files_and_folders(opened: Repository) -> None:
    commit = opened.resolve("HEAD")
    snapshot = opened.snapshot(opened.tree_of(commit))
    assert snapshot.commit == commit
    assert snapshot.read("virt/kvm/kvm_main.c") == FILES["virt/kvm/kvm_main.c"].encode()
    for absent in ("virt/kvm", "virt/none.c", "none/x.c", "MAINTAINERS/x", "", "/", "../x", "virt//kvm"):
        assert snapshot.read(absent) is None
        assert snapshot.blob_id(absent) is None
    assert snapshot.exists("virt/kvm")
    assert snapshot.exists("virt/kvm/")
    assert not snapshot.exists("virt/kv")
    assert [(e.name, e.path, e.kind) for e in snapshot.folder("kernel/sched")] == [
        ("core.c", "kernel/sched/core.c", "blob"),
        ("sched.h", "kernel/sched/sched.h", "blob"),
    ]
    assert [e.kind for e in snapshot.folder("")] == ["blob", "tree", "tree"]
    assert snapshot.folder("none") == ()
    assert snapshot.paths(suffixes=(".c",)) == ("kernel/sched/core.c", "virt/kvm/kvm_main.c")
    assert snapshot.paths("kernel", (".h",)) == ("kernel/sched/sched.h",)
    assert snapshot.subtree_id("") == snapshot.tree
    assert snapshot.subtree_id("virt/") == opened.snapshot(snapshot.tree).entry("virt").oid  # type: ignore[union-attr]
    assert snapshot.subtree_id("MAINTAINERS") is None


def test_what_differs_between_two_trees_is_what_the_lists_of_files_say(tmp_path: Path) -> None:
    one = make(tmp_path / "r", {"a.c": "1", "b/c/d.h": "2", "same/e.c": "3", "f": "4", "was.c": "5", "text": "6"})
    (tmp_path / "r" / "was.c").chmod(0o755)
    (tmp_path / "r" / "link.c").symlink_to("a.c")
    other = make(tmp_path / "r", {"a.c": "x", "b/c/d.h": None, "f": None, "f/g.c": "7", "text": "y", "b/new.c": "8"})
    with closing(Repository.open(tmp_path / "r")) as repository:
        before, after = (repository.snapshot(repository.tree_of(commit), commit) for commit in (one, other))
        for suffixes in ((), (".c", ".h")):
            lists = [dict(side.blobs("", suffixes)) for side in (before, after)]
            names = lists[0].keys() | lists[1].keys()
            pairs = {name: (lists[0].get(name), lists[1].get(name)) for name in names}
            assert after.differing(before.tree, suffixes) == {n: p for n, p in pairs.items() if p[0] != p[1]}
        assert after.differing(after.tree) == {}
        assert after.differing("1" * 40) is None


def test_blobs_stream_in_the_order_asked_for(tmp_path: Path) -> None:
    files = {f"d{n % 7}/f{n}.c": f"int f{n};\n" * (n % 50) for n in range(1500)}
    make(tmp_path, files)
    with closing(Repository.open(tmp_path)) as repository:
        snapshot = repository.snapshot(repository.tree_of("HEAD"))
        blobs = snapshot.blobs()
        got = snapshot.read_blobs(oid for _, oid in blobs)
        # asking for something else in between must not disturb the stream
        texts = [(data, snapshot.read("d0/f0.c"))[0] for _, data in got]
        assert texts == [files[path].encode() for path, _ in blobs]


def test_a_stream_that_is_left_early_leaves_nothing_behind(opened: Repository) -> None:
    snapshot = opened.snapshot(opened.tree_of("HEAD"))
    stream = snapshot.read_blobs(oid for _, oid in snapshot.blobs())
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    assert snapshot.read("MAINTAINERS") == b"List of maintainers\n"


def test_missing_objects_are_named(opened: Repository) -> None:
    snapshot = opened.snapshot(opened.tree_of("HEAD"))
    with pytest.raises(RepositoryError, match=f"object {'1' * 40} is missing"):
        list(snapshot.read_blobs(["1" * 40]))
    with pytest.raises(RepositoryError, match=f"object {'1' * 40} is missing"):
        opened.snapshot("1" * 40).read("x")


def test_reading_goes_on_in_a_forked_child(opened: Repository) -> None:
    snapshot = opened.snapshot(opened.tree_of("HEAD"))
    assert snapshot.read("MAINTAINERS") is not None
    receiver, sender = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(sender, snapshot.read("virt/kvm/kvm_main.c") or b"nothing")
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(receiver, 4096) == FILES["virt/kvm/kvm_main.c"].encode()
    assert snapshot.read("kernel/sched/sched.h") == FILES["kernel/sched/sched.h"].encode()


def test_words_are_found_whole_and_only_in_c(tmp_path: Path) -> None:
    make(
        tmp_path,
        {
            "a.c": "schedule();\n",
            "b.c": "schedule_work();\n__schedule();\n",
            "c/d.h": "x = schedule;",
            "c/e.c": "kfree(p); schedule ()\n",
            "c[1]/*.c": "schedule\n",
            "c[1]x.c": "schedule\n",
            "e.rst": "schedule()\n",
            "f.S": "call schedule\n",
        },
    )
    with closing(Repository.open(tmp_path)) as repository:
        snapshot = repository.snapshot(repository.tree_of("HEAD"))
        assert snapshot.mentioning(frozenset({"schedule", "kfree", "nothing"}), ()) == {
            "kfree": ("c/e.c",),
            "nothing": (),
            "schedule": ("a.c", "c/d.h", "c/e.c", "c[1]/*.c", "c[1]x.c"),
        }
        assert snapshot.mentioning(frozenset({"schedule"}), ("c",)) == {"schedule": ("c/d.h", "c/e.c")}
        assert snapshot.mentioning(frozenset({"schedule"}), ("c[1]", "none")) == {"schedule": ("c[1]/*.c",)}
        assert snapshot.mentioning(frozenset({"schedule"}), ("none",)) == {"schedule": ()}
        assert snapshot.mentioning(frozenset({"-e", "a b", "a\nb", ""}), ("",)) == {
            "-e": (),
            "a b": (),
            "a\nb": (),
            "": (),
        }
        assert snapshot.mentioning(frozenset(), ()) == {}


def test_many_words_are_found_like_few(tmp_path: Path) -> None:
    names = [f"do_{'x' * (n % 7)}{n}" for n in range(2500)]
    files = {f"f{n}.c": f"{name}(); {name}_more(); a_{name} = 0;\n" for n, name in enumerate(names) if n % 100 == 0}
    make(tmp_path, {**files, "prefix.c": "do_x1_y do_x1\n", "other.c": "do_x1_y\n"})
    with closing(Repository.open(tmp_path)) as repository:
        snapshot = repository.snapshot(repository.tree_of("HEAD"))
        found = snapshot.mentioning(frozenset({*names, "do_x1_y"}), ("",))
        assert {word: paths for word, paths in found.items() if paths} == {
            "do_x1": ("prefix.c",),
            "do_x1_y": ("other.c", "prefix.c"),
            **{name: (f"f{n}.c",) for n, name in enumerate(names) if n % 100 == 0},
        }
        for word in ("do_x1", "do_x1_y", names[300], names[301]):
            assert snapshot.mentioning(frozenset({word}), ()) == {word: found[word]}


def test_settings_of_git_grep_do_not_change_what_is_found(kernel: Path) -> None:
    for setting in (
        "grep.lineNumber=true",
        "grep.patternType=perl",
        "color.ui=always",
        "grep.column=true",
        "grep.fullName=false",
    ):
        git(kernel, "config", *setting.split("="))
    with closing(Repository.open(kernel)) as repository:
        snapshot = repository.snapshot(repository.tree_of("HEAD"))
        assert snapshot.mentioning(frozenset({"schedule"}), ("virt",)) == {"schedule": ("virt/kvm/kvm_main.c",)}


def test_odd_names_read_back(tmp_path: Path) -> None:
    names = [
        "with space.c",
        'quote".c',
        "-dash.c",
        "tab\t.c",
        "line\nbreak.c",
        "naïve.c",
        os.fsdecode(b"latin\xe4.c"),
        "a:b.c",
    ]
    make(tmp_path, {name: f"int {number};\n" for number, name in enumerate(names)})
    with closing(Repository.open(tmp_path)) as repository:
        snapshot = repository.snapshot(repository.tree_of("HEAD"))
        assert snapshot.paths() == tuple(sorted(names))
        assert [snapshot.read(name) for name in names] == [f"int {n};\n".encode() for n in range(len(names))]
        assert snapshot.mentioning(frozenset({"int"}), ()) == {"int": tuple(sorted(names))}


def test_links_and_submodules_are_no_files(tmp_path: Path) -> None:
    make(tmp_path / "linux", {"real.c": "int x;\n"})
    (tmp_path / "linux" / "link.c").symlink_to("real.c")
    git(tmp_path / "linux", "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},sub")
    make(tmp_path / "linux", {}, "Links")
    with closing(Repository.open(tmp_path / "linux")) as repository:
        snapshot = repository.snapshot(repository.tree_of("HEAD"))
        assert snapshot.paths() == ("real.c",)
        assert snapshot.read("link.c") is None
        assert snapshot.exists("link.c")
        assert {e.name: e.kind for e in snapshot.folder("")} == {"link.c": "link", "real.c": "blob"}


def test_replaced_objects_are_read_as_they_are(kernel: Path) -> None:
    wrong = git(kernel, "hash-object", "-w", "--stdin", stdin=b"Wrong\n")
    git(kernel, "replace", git(kernel, "rev-parse", "HEAD:MAINTAINERS"), wrong)
    with closing(Repository.open(kernel)) as repository:
        assert read_all(repository) == expected()


# Partial clones


@pytest.fixture
def partial(kernel: Path, tmp_path: Path) -> Path:
    """A clone that holds no blobs at all."""
    git(kernel, "config", "uploadpack.allowFilter", "true")
    git(kernel, "config", "uploadpack.allowAnySHA1InWant", "true")
    git(tmp_path, "clone", "--quiet", "--bare", "--filter=blob:none", f"file://{kernel}", "partial.git")
    return tmp_path / "partial.git"


def test_a_partial_clone_gets_its_blobs_from_the_remote_and_keeps_none(
    partial: Path, kernel: Path, tmp_path: Path
) -> None:
    before = fingerprint_of_files(partial)
    old = git(kernel, "rev-parse", "HEAD")
    new = make(kernel, {"virt/kvm/kvm_main.c": "int kvm_sched(void);\n"}, "Second")
    with closing(Repository.open(partial, tmp_path / "cache")) as repository:
        assert repository.partial
        with Overlay(repository, tmp_path / "cache") as overlay:
            (applied,) = overlay.apply([patch(diff(kernel, old, new))], Base(old, ""))
            after = overlay.snapshot(applied.after, old)
            assert applied.failures == ()
            assert after.read("virt/kvm/kvm_main.c") == b"int kvm_sched(void);\n"
            assert after.read("kernel/sched/core.c") == FILES["kernel/sched/core.c"].encode()
        assert read_all(repository) == expected()
        snapshot = repository.snapshot(repository.tree_of("HEAD"))
        assert snapshot.mentioning(frozenset({"schedule"}), ("virt",)) == {"schedule": ("virt/kvm/kvm_main.c",)}
    assert fingerprint_of_files(partial) == before
    assert not any((tmp_path / "cache" / "overlays").glob("[0-9]*"))


def test_a_range_in_a_partial_clone_fetches_into_the_cache(kernel: Path, partial: Path, tmp_path: Path) -> None:
    make(kernel, {"MAINTAINERS": "Nobody\n"}, "Second")
    git(partial, "fetch", "--quiet", "origin", "master:master")
    before = fingerprint_of_files(partial)
    with closing(Repository.open(partial, tmp_path / "cache")) as repository:
        _, (commit,) = commits_of(repository, "master~1..master")
        assert b"+Nobody\n" in commit.patch.diff
    assert fingerprint_of_files(partial) == before


def test_a_partial_clone_whose_remote_is_gone_names_what_is_missing(
    partial: Path, kernel: Path, tmp_path: Path
) -> None:
    blob = git(kernel, "rev-parse", "HEAD:MAINTAINERS")
    kernel.rename(tmp_path / "moved away")
    with closing(Repository.open(partial, tmp_path / "cache")) as repository:
        snapshot = repository.snapshot(repository.tree_of("HEAD"))
        with pytest.raises(RepositoryError, match=f"partial clone(?s:.*){blob}(?s:.*)origin") as caught:
            snapshot.read("MAINTAINERS")
        assert "file://" in str(caught.value)


def test_a_remote_that_would_run_a_program_is_not_asked(partial: Path, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\ntouch "{marker}"\n')
    program.chmod(0o755)
    git(partial, "config", "remote.origin.uploadpack", str(program))
    git(partial, "config", "core.sshCommand", str(program))
    git(partial, "config", "credential.helper", str(program))
    with closing(Repository.open(partial, tmp_path / "cache")) as repository:
        assert read_all(repository) == expected()
    git(partial, "config", "remote.origin.url", f"ext::{program}")
    git(partial, "config", "protocol.ext.allow", "always")
    with (
        closing(Repository.open(partial, tmp_path / "cache")) as repository,
        pytest.raises(RepositoryError, match="partial clone"),
    ):
        read_all(repository)
    assert not marker.exists()


def test_a_password_in_the_remotes_address_stays_out_of_messages(partial: Path, tmp_path: Path) -> None:
    git(partial, "config", "remote.origin.url", "http://jane:secret@127.0.0.1:9/x")
    with (
        closing(Repository.open(partial, tmp_path / "cache")) as repository,
        pytest.raises(RepositoryError, match=r"127\.0\.0\.1") as caught,
    ):
        read_all(repository)
    assert "secret" not in str(caught.value)


def fingerprint_of_files(where: Path) -> dict[str, bytes]:
    """All files with their bytes; git commands on a partial clone would fetch."""
    return {str(path): path.read_bytes() for path in sorted(where.rglob("*")) if path.is_file()}


# A real tree


def test_a_real_tree_reads(kernel_tree: Callable[[str], Path], tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--bare", "--shared", str(kernel_tree("6.12")), "linux.git")
    with closing(Repository.open(tmp_path / "linux.git")) as repository:
        snapshot = repository.snapshot(repository.tree_of("HEAD"))
        listed = git_bytes(tmp_path / "linux.git", "ls-tree", "-r", "-z", "--format=%(objectmode) %(path)", "HEAD")
        entries = [line.split(b" ", 1) for line in listed.split(b"\0")[:-1]]
        files = sorted(os.fsdecode(path) for mode, path in entries if mode != b"120000")
        assert list(snapshot.paths()) == files
        oids = [oid for _, oid in snapshot.blobs("virt")]
        assert sum(len(data) for _, data in snapshot.read_blobs(oids)) > 100_000
        found = snapshot.mentioning(frozenset({"kvm_vcpu_wake_up", "kvm_vcpu_kick"}), ("virt/kvm",))
        assert found == {"kvm_vcpu_kick": ("virt/kvm/kvm_main.c",), "kvm_vcpu_wake_up": ("virt/kvm/kvm_main.c",)}
