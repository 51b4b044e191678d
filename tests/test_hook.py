# SPDX-License-Identifier: GPL-2.0-or-later
"""The hooks as git runs them: commit, push, am, send-email, each with the real program."""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from reviewer import hooked
from reviewer.cli import main
from reviewer.commands import gate
from reviewer.commands.demo import make_example
from tests.conftest import ROOT
from tests.inbox import split_mboxrd
from tests.repos import fingerprint

FILE = "drivers/misc/doorbell.c"
BUG = "lock-gfp-blocking-in-atomic"
HOOKS = ("pre-commit", "pre-push", "pre-applypatch", "sendemail-validate")
_ODD = """\
static DEFINE_SPINLOCK(odd);
void odd_sleep(void)
{
	spin_lock(&odd);
	msleep(1);
	spin_unlock(&odd);
}
"""
Done = subprocess.CompletedProcess[str]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The example's repository. Its three patches lie beside it as 1.patch to 3.patch."""
    tree, mail = make_example(tmp_path / "example")
    for number, message in enumerate(split_mboxrd(mail.read_bytes())[1:4], 1):
        (tree.parent / f"{number}.patch").write_bytes(message)
    return tree


def run(folder: Path, *words: str | Path, stdin: str = "", **environment: str) -> Done:
    """Run a program in ``folder`` as its user would, who has installed this one."""
    return subprocess.run(
        list(map(str, words)),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )


def git(folder: Path, *words: str | Path) -> str:
    """Run git, which is not to fail; what it wrote on both streams."""
    done = run(folder, "git", *words)
    assert done.returncode == 0, done.stdout + done.stderr
    return (done.stdout + done.stderr).strip()


def hook(folder: Path, *words: str, status: int = 0) -> str:
    """``reviewer hook`` in this process; what it wrote on both streams."""
    with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.redirect_stderr(said):
        assert main(["hook", *words, "--repo", str(folder)]) == status
    return said.getvalue()


def install(folder: Path, *flags: str) -> str:
    return hook(folder, "install", *flags)


def by_hand(folder: Path, *words: str, stdin: str = "") -> Done:
    return run(folder, sys.executable, "-m", "reviewer", "hook", "run", *words, stdin=stdin)


def apply(tree: Path, number: int) -> None:
    """Put a patch of the example into the work tree and the index."""
    git(tree, "apply", "--index", tree.parent / f"{number}.patch")


def stopped(done: Done, go_on: str, finding: str = BUG) -> bool:
    said = done.stdout + done.stderr
    assert done.returncode != 0, said
    assert f"[{finding}]" in said
    assert f"\n  {go_on}\n" in said
    return True


def head(tree: Path) -> str:
    return git(tree, "rev-parse", "HEAD")


def test_what_is_staged_counts_and_not_the_work_tree(tree: Path) -> None:
    install(tree, "--pre-commit")
    good = (tree / FILE).read_text()
    apply(tree, 1)
    bad = (tree / FILE).read_text()
    (tree / FILE).write_text(good)
    before = head(tree)
    assert stopped(run(tree, "git", "commit", "-m", "Bad"), "git commit --no-verify")
    assert head(tree) == before
    git(tree, "add", FILE)
    (tree / FILE).write_text(bad)
    assert "Good" in git(tree, "commit", "--allow-empty", "-m", "Good")
    git(tree, "add", FILE)
    assert "Anyway" in git(tree, "commit", "--no-verify", "-m", "Anyway")


def test_the_entries_as_they_are_shown_silence_all_findings(tree: Path) -> None:
    install(tree, "--pre-commit")
    apply(tree, 1)
    said = run(tree, "git", "commit", "-m", "Bad").stderr
    commands = said.rpartition("Findings that are wrong can be silenced, with the reason:\n")[2]
    assert commands.count("doorbell_complete() -- REASON") == 2
    assert run(tree, "/bin/sh", "-ec", commands).returncode == 0
    assert "Known" in git(tree, "commit", "-m", "Known")


def test_an_entry_for_an_odd_path_can_be_read(tree: Path) -> None:
    install(tree, "--pre-commit")
    odd = "drivers/misc/wïth [a] s*p\\ace.c"
    (tree / odd).write_text(_ODD)
    git(tree, "add", odd)
    said = run(tree, "git", "commit", "-m", "Odd").stderr
    commands = said.rpartition("A finding that is wrong can be silenced, with the reason:\n")[2]
    assert run(tree, "/bin/sh", "-ec", commands).returncode == 0
    assert "Odd" in git(tree, "commit", "-m", "Odd")


def test_by_hand_it_leaves_the_repository_as_it_is(tree: Path) -> None:
    apply(tree, 1)
    (tree / FILE).write_text("int odd;\n")
    git(tree, "status")
    before = fingerprint(tree)
    done = by_hand(tree, "pre-commit")
    assert done.returncode == 1
    assert "Staged changes  (2 bugs)" in done.stdout
    assert fingerprint(tree) == before


def test_a_commit_of_named_files_is_judged_by_the_index_that_git_makes_for_it(tree: Path) -> None:
    install(tree, "--pre-commit")
    (tree / "new.c").write_text("int fine;\n")
    git(tree, "add", "new.c")
    apply(tree, 1)
    assert "One file" in git(tree, "commit", "-m", "One file", "new.c")
    git(tree, "reset", "-q", FILE)
    assert stopped(run(tree, "git", "commit", "-a", "-m", "All"), "git commit --no-verify")


def test_from_a_subfolder_and_a_linked_work_tree(tree: Path) -> None:
    install(tree, "--pre-commit")
    linked = tree.parent / "linked"
    git(tree, "worktree", "add", "-q", linked)
    apply(linked, 1)
    folder = linked / "drivers" / "misc"
    assert stopped(run(folder, "git", "commit", "-m", "Bad"), "git commit --no-verify")
    assert "installed" not in hook(linked, "status").splitlines()[0]
    (tree / "fine.c").write_text("int fine;\n")
    git(tree, "add", "fine.c")
    assert "Fine" in git(tree, "-C", "drivers", "commit", "-m", "Fine")


def test_removed_intended_and_odd_files(tree: Path) -> None:
    install(tree, "--pre-commit")
    git(tree, "rm", "-q", FILE)
    (tree / "later.c").write_text("int later;\n")
    git(tree, "add", "--intent-to-add", "later.c")
    (tree / "a\tb\n.c").write_bytes(b"int \xff;\n")
    (tree / os.fsdecode(b"\xff.c")).write_bytes(b"int x;\nvoid f(void)\n{\n\tx = 1;\n}\n")
    (tree / "link.c").symlink_to("/etc/passwd")
    git(tree, "add", "a\tb\n.c", os.fsdecode(b"\xff.c"), "link.c")
    said = git(tree, "commit", "-m", "Odd")
    assert "Odd" in said
    assert "reviewer:" not in said


def test_the_first_commit_and_a_merge_pass_and_say_why(tree: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    git(tmp_path, "init", "-q", empty)
    install(empty, "--pre-commit")
    (empty / "one.c").write_text("int one;\n")
    git(empty, "add", "one.c")
    assert "nothing was reviewed: there is no commit yet" in git(empty, "commit", "-m", "First")

    git(tree, "branch", "other")
    apply(tree, 1)
    git(tree, "commit", "-q", "-m", "Ours")
    git(tree, "switch", "-q", "other")
    (tree / FILE).write_text("int theirs;\n")
    git(tree, "commit", "-q", "-a", "-m", "Theirs")
    install(tree, "--pre-commit")
    assert run(tree, "git", "merge", "master").returncode == 1
    git(tree, "checkout", "--theirs", FILE)
    git(tree, "add", FILE)
    assert "nothing was reviewed: a merge" in git(tree, "commit", "-m", "Merge")


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_that_is_there_runs_first_and_comes_back(tree: Path, name: str) -> None:
    path = tree / ".git" / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    text = '#!/bin/sh\necho "theirs: $# $(cat)"\nexit "${THEIRS:-0}"\n'
    path.write_text(text)
    path.chmod(0o750)
    assert f"which runs {name}.before-reviewer first" in install(tree)
    assert f"which runs {name}.before-reviewer first" in install(tree)
    words = ["remote", "url"] if name == "pre-push" else []
    stdin = "said\n" if name == "pre-push" else ""
    done = run(tree, path, *words, stdin=stdin, THEIRS="7")
    assert (done.returncode, done.stdout) == (7, f"theirs: {len(words)} {stdin.strip()}\n")
    # A program that keeps hooks as this one does may call ours by another name.
    renamed = path.rename(path.with_name(f"{name}.legacy"))
    assert run(tree, renamed, *words, stdin=stdin, THEIRS="7").returncode == 7
    renamed.rename(path)
    hook(tree, "uninstall")
    assert (path.read_text(), path.stat().st_mode & 0o777) == (text, 0o750)
    assert [one.name for one in path.parent.iterdir()] == [name]


def test_uninstall_leaves_what_others_have_put_there(tree: Path) -> None:
    install(tree)
    path = tree / ".git" / "hooks" / "pre-commit"
    path.write_text("#!/bin/sh\n")
    assert "not installed; " in hook(tree, "uninstall").splitlines()[0]
    assert path.read_text() == "#!/bin/sh\n"
    assert [one.name for one in path.parent.iterdir()] == ["pre-commit"]


def test_two_hooks_of_others_are_never_overwritten(tree: Path) -> None:
    path = tree / ".git" / "hooks" / "pre-commit"
    path.parent.mkdir(exist_ok=True)
    path.write_text("#!/bin/sh\n# one\n")
    install(tree, "--pre-commit")
    path.write_text("#!/bin/sh\n# two\n")
    assert "another program's" in hook(tree, "install", "--pre-commit", status=3)
    assert path.read_text() == "#!/bin/sh\n# two\n"
    assert path.with_name("pre-commit.before-reviewer").read_text() == "#!/bin/sh\n# one\n"


@pytest.mark.parametrize("configured", [".githooks", "{tree}/my hooks"])
def test_hooks_in_a_folder_of_the_repository(tree: Path, configured: str) -> None:
    git(tree, "config", "core.hooksPath", configured.format(tree=tree))
    assert "shared" not in install(tree, "--pre-commit")
    assert not (tree / ".git" / "hooks" / "pre-commit").exists()
    apply(tree, 1)
    assert stopped(run(tree, "git", "commit", "-m", "Bad"), "git commit --no-verify")


def test_a_folder_that_all_repositories_share(tree: Path, tmp_path: Path) -> None:
    shared = Path(os.environ["HOME"]) / "hooks"
    git(tree, "config", "--global", "core.hooksPath", "~/hooks")
    other = tmp_path / "other"
    git(tmp_path, "clone", "-q", tree, other)
    for one in (tree, other):
        apply_here(one, tree.parent / "1.patch")
    assert "the hooks review in this repository alone" in install(tree, "--pre-commit")
    assert stopped(run(tree, "git", "commit", "-m", "Bad"), "git commit --no-verify")
    assert "not installed" in hook(other, "status").splitlines()[0]
    assert "Not asked" in git(other, "commit", "-m", "Not asked")
    install(other, "--pre-commit")
    hook(tree, "uninstall")
    assert "No more" in git(tree, "commit", "-m", "No more")
    git(other, "reset", "-q", "--soft", "HEAD~1")
    assert stopped(run(other, "git", "commit", "-m", "Bad"), "git commit --no-verify")
    hook(other, "uninstall")
    assert list(shared.iterdir()) == []


def test_a_folder_of_hooks_that_is_a_link(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    (tree / ".git" / "hooks").symlink_to(tmp_path / "all")
    assert "the hooks review in this repository alone" in install(tree, "--pre-commit")
    apply(tree, 1)
    assert stopped(run(tree, "git", "commit", "-m", "Bad"), "git commit --no-verify")


def test_a_sparse_index(tree: Path) -> None:
    install(tree, "--pre-commit")
    git(tree, "sparse-checkout", "set", "--cone", "--sparse-index", "drivers/misc")
    assert not (tree / "Documentation").exists()
    assert "040000" in git(tree, "ls-files", "--sparse", "--stage")
    apply(tree, 1)
    assert stopped(run(tree, "git", "commit", "-m", "Bad"), "git commit --no-verify")


def test_a_repository_whose_name_would_be_a_command(tree: Path, tmp_path: Path) -> None:
    odd = tree.rename(tmp_path / "a\ntouch was-run\n")
    git(odd, "config", "core.hooksPath", tmp_path / "all")
    assert "rename it" in hook(odd, "install", status=3)
    assert not (tmp_path / "all").exists()
    git(odd, "config", "--unset", "core.hooksPath")
    install(odd, "--pre-commit")
    apply_here(odd, tmp_path / "example" / "1.patch")
    assert stopped(run(odd, "git", "commit", "-m", "Bad"), "git commit --no-verify")


def test_arguments_that_look_like_options(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tree)
    assert hooked.run(["sendemail-validate", "--quiet"]) == 0
    assert "--quiet: No such file" in capsys.readouterr().err


def apply_here(tree: Path, patch: Path) -> None:
    git(tree, "apply", "--index", patch)


def test_the_new_commits_of_a_push(tree: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    git(tmp_path, "init", "-q", "--bare", bare)
    git(tree, "remote", "add", "mine", bare)
    git(tree, "push", "-q", "mine", "master")
    install(tree, "--pre-push")
    git(tree, "switch", "-q", "-c", "topic")
    for number in (1, 2):
        git(tree, "am", "-q", tree.parent / f"{number}.patch")
    done = run(tree, "git", "push", "mine", "topic")
    assert stopped(done, "git push --no-verify")
    assert "(2 bugs)" in done.stderr
    assert "2 of 2 patches applied" in done.stderr
    git(tree, "push", "--no-verify", "mine", "topic")
    # What a remote has is no longer new, under whatever name.
    git(tree, "push", "mine", "topic:again")
    git(tree, "push", "mine", "--delete", "again")
    git(tree, "tag", "blob", git(tree, "rev-parse", "HEAD:Makefile"))
    git(tree, "push", "mine", "blob")
    git(tree, "commit", "-q", "--allow-empty", "-m", "Nothing")
    git(tree, "push", bare, "topic")  # by its place and not by its name


def test_a_push_of_more_than_a_person_has_made_reviews_the_newest(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (1, 2, 3):
        git(tree, "am", "-q", tree.parent / f"{number}.patch")
    monkeypatch.setattr(gate, "_MOST", 2)
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"refs/heads/a {head(tree)} refs/heads/a {'0' * 40}\n"))
    said = hook(tree, "run", "pre-push", status=1)
    assert "brings 4 commits that are on no remote yet; the newest 2 were reviewed" in said
    assert "Free the interrupt" in said
    assert "Remember tokens" not in said


def test_git_am(tree: Path) -> None:
    install(tree, "--applypatch")
    assert stopped(
        run(tree, "git", "am", tree.parent / "1.patch"),
        "git -c reviewer.hook=false am --continue",
    )
    assert "The example tree" in git(tree, "log", "-1", "--format=%s")
    git(tree, "-c", "reviewer.hook=false", "am", "--continue")
    assert "Remember tokens" in git(tree, "log", "-1", "--format=%s")


def test_git_rebase_with_the_machinery_of_git_am(tree: Path) -> None:
    git(tree, "switch", "-q", "-c", "topic")
    git(tree, "am", "-q", tree.parent / "1.patch")
    git(tree, "switch", "-q", "master")
    git(tree, "commit", "-q", "--allow-empty", "-m", "Other")
    install(tree, "--applypatch")
    done = run(tree, "git", "rebase", "--apply", "master", "topic")
    assert stopped(done, "git -c reviewer.hook=false rebase --continue")
    git(tree, "-c", "reviewer.hook=false", "rebase", "--continue")
    assert "Other" in git(tree, "log", "-1", "--format=%s", "HEAD~1")


def test_b4_shazam(tree: Path) -> None:
    install(tree, "--applypatch")
    b4 = Path(sys.executable).with_name("b4")
    if not b4.exists():
        pytest.skip("b4 has no program beside this Python")
    message_id = "20250311143320.81-1-ada@example.org"
    words = ("-c", "b4.search-mask=", "--offline-mode", "shazam", "-m", tree.parent / "doorbell.mbox", message_id)
    done = run(tree, b4, *words[2:])
    assert BUG in done.stdout + done.stderr, done.stdout + done.stderr
    assert (tree / ".git" / "rebase-apply").is_dir()
    assert "The example tree" in git(tree, "log", "-1", "--format=%s")


@pytest.fixture
def outgoing(tree: Path) -> Callable[..., Done]:
    """``git send-email`` of patch files, that sends nothing."""
    done = run(tree, "git", "send-email", "--dump-aliases")
    if done.returncode:
        pytest.skip(f"git send-email does not run here: {done.stderr[:200]}")

    def send(*words: str | Path) -> Done:
        to = ("--dry-run", "--validate", "--to=list@example.org", "--suppress-cc=all", "--confirm=never")
        return run(tree, "git", "send-email", *to, *words)

    return send


def test_git_send_email(tree: Path, outgoing: Callable[..., Done]) -> None:
    git(tree, "am", "-q", *(tree.parent / f"{number}.patch" for number in (1, 2, 3)))
    files = git(tree, "format-patch", "--cover-letter", "-o", tree.parent / "out", "HEAD~3").splitlines()
    install(tree, "--send-email")
    done = outgoing(*files)
    assert stopped(done, "git send-email --no-validate")
    assert "Result: OK" not in done.stdout
    # The cover letter is no patch. The last patch stands on the two before it, which its own file does not show.
    assert outgoing("--force", files[0], files[3]).returncode == 0
    assert stopped(outgoing(files[2]), "git send-email --no-validate", "lock-sleep-in-atomic")
    assert "Result: OK" in outgoing("--no-validate", files[1]).stdout
    # Of a file that names no commit, the subject does.
    last = Path(files[3])
    last.write_bytes(b"From " + b"0" * 40 + last.read_bytes()[45:])
    assert outgoing(last).returncode == 0
    last.write_bytes(last.read_bytes().replace(b"Free the interrupt", b"Free the interrupt line"))
    assert "0 of 1 patch applied" in outgoing(last).stderr


def test_send_email_gives_the_headers_too_from_git_2_41_on(tree: Path) -> None:
    install(tree, "--send-email")
    headers = tree.parent / "headers"
    headers.write_text("From: a@example.org\n")
    file = tree.parent / "1.patch"
    done = run(tree, "git", "hook", "run", "sendemail-validate", "--", file, headers)
    assert stopped(done, "git send-email --no-validate")


def test_its_own_failure_stops_git_only_if_that_is_wanted(tree: Path) -> None:
    install(tree, "--pre-commit")
    git(tree, "config", "reviewer.severity", "nonsense")
    apply(tree, 1)
    assert "git goes on, as reviewer.hookStrict is not set" in git(tree, "commit", "-m", "Unreviewed")
    apply(tree, 2)
    git(tree, "config", "reviewer.hookStrict", "yes")
    done = run(tree, "git", "commit", "-m", "Strict")
    assert done.returncode == 1
    assert "reviewer.severity: 'nonsense' is none of" in done.stderr


@pytest.mark.parametrize("broken", ["/nonexistent/python", "{folder}/other"])
def test_a_program_that_is_gone_stops_git_only_if_that_is_wanted(tree: Path, broken: str) -> None:
    install(tree, "--pre-commit")
    other = tree.parent / "other"
    other.write_text(f'#!/bin/sh\nunset PYTHONPATH\nexec {sys.executable} -S "$@"\n')
    other.chmod(0o755)
    path = tree / ".git" / "hooks" / "pre-commit"
    python = shlex.quote(sys.executable)
    assert f"\n{python} -P -m" in path.read_text()
    path.write_text(path.read_text().replace(python, broken.format(folder=tree.parent)))
    apply(tree, 1)
    assert "could not be started" in git(tree, "commit", "-m", "Unreviewed")
    done = run(tree, "git", "-c", "reviewer.hookStrict=true", "commit", "--amend", "-m", "Strict")
    assert done.returncode == 1


def test_files_of_the_tree_are_never_run(tree: Path) -> None:
    """Python looks for modules in the folder it stands in, which is the tree under review."""
    install(tree, "--pre-commit")
    for name in ("reviewer.py", "argparse.py", "sitecustomize.py"):
        (tree / name).write_text("raise SystemExit(0)\n")
    git(tree, "add", "--force", ".")
    apply(tree, 1)
    assert stopped(run(tree, "git", "commit", "-m", "Hostile"), "git commit --no-verify")


def test_switched_off(tree: Path) -> None:
    install(tree, "--pre-commit")
    git(tree, "config", "reviewer.hook", "false")
    apply(tree, 1)
    assert "Off" in git(tree, "commit", "-m", "Off")
    assert "reviewer.hook is off" in hook(tree, "status")


def test_status_tells_of_a_program_that_is_gone(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install(tree)
    for name in HOOKS:
        path = tree / ".git" / "hooks" / name
        path.write_text(path.read_text().replace(shlex.quote(sys.executable), "'/gone/my python'"))
    assert hook(tree, "status").count("it does nothing, as /gone/my python is gone: reviewer hook install") == 4
    main(["doctor", "--repo", str(tree)])
    assert "hooks     missing" in capsys.readouterr().out
    assert "gone" not in install(tree)


def test_status_tells_which_are_there(tree: Path) -> None:
    install(tree, "--pre-push", "--send-email")
    rows = dict(line.split(maxsplit=1) for line in hook(tree, "status").splitlines())
    assert list(rows) == list(HOOKS)
    assert [rows[name] == "not installed" for name in HOOKS] == [True, False, True, False]


@pytest.mark.parametrize("words", [("pre-commit", "one"), ("sendemail-validate",), ("pre-push", "1", "2", "3"), ("x",)])
def test_wrong_arguments(tree: Path, words: tuple[str, ...]) -> None:
    assert by_hand(tree, *words).returncode == 2


def test_lines_that_git_would_not_write(tree: Path) -> None:
    done = by_hand(tree, "pre-push", stdin="--all HEAD master HEAD\n")
    assert done.returncode == 3
    assert "is not a line that git gives a pre-push hook" in done.stderr


def test_the_hook_for_pre_commit(tree: Path) -> None:
    """https://pre-commit.com runs the entry in an environment of its own with this package in it."""
    yaml = pytest.importorskip("yaml")
    committing, pushing = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert (committing["language"], committing["pass_filenames"], committing["stages"]) == (
        "python",
        False,
        ["pre-commit"],
    )
    beside = Path(sys.executable).parent
    path = f"{beside}:{os.environ['PATH']}"
    apply(tree, 1)
    done = run(tree, *shlex.split(committing["entry"]), PATH=path)
    assert done.returncode != 0
    assert BUG in done.stdout
    git(tree, "config", "reviewer.severity", "nonsense")
    assert run(tree, *shlex.split(committing["entry"]), PATH=path).returncode == 0

    git(tree, "config", "--unset", "reviewer.severity")
    git(tree, "commit", "-q", "-m", "Bad")
    ends = {"PRE_COMMIT_FROM_REF": git(tree, "rev-parse", "HEAD~1"), "PRE_COMMIT_TO_REF": head(tree)}
    names = {"PRE_COMMIT_LOCAL_BRANCH": "refs/heads/master", "PRE_COMMIT_REMOTE_BRANCH": "refs/heads/master"}
    done = run(tree, *shlex.split(pushing["entry"]), PATH=path, **ends, **names)
    assert done.returncode != 0
    assert "1 of 1 patch applied" in done.stdout
