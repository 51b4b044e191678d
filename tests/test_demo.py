# SPDX-License-Identifier: GPL-2.0-or-later
"""The example: the whole path, offline, on a machine that has nothing but the program and git."""

from __future__ import annotations

import email
import email.policy
import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from reviewer.cli import main
from reviewer.commands import demo
from reviewer.commands.demo import make_example
from tests.conftest import ROOT

FOUND = [
    (1, "lock-gfp-blocking-in-atomic", "all", "doorbell_complete"),
    (1, "lock-drop-retake-no-recheck", "all", "doorbell_complete"),
    (2, "rt-alloc-under-raw-spinlock", "PREEMPT_RT", "pending_show"),
    (2, "lock-sleep-in-atomic", "all", "stats_show"),
]
DOCUMENTS = {
    "lock-gfp-blocking-in-atomic": "Documentation/core-api/memory-allocation.rst",
    "lock-drop-retake-no-recheck": "Documentation/kernel-hacking/locking.rst",
    "rt-alloc-under-raw-spinlock": "Documentation/locking/locktypes.rst",
    "lock-sleep-in-atomic": "Documentation/kernel-hacking/locking.rst",
}


def run(*words: str, **environment: str | None) -> subprocess.CompletedProcess[str]:
    """The program in a process of its own; a variable that is None is unset."""
    wanted = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(
        [sys.executable, "-m", "reviewer", "demo", *words],
        capture_output=True,
        text=True,
        check=False,
        env={name: value for name, value in wanted.items() if value is not None},
    )


def test_the_demo_shows_findings_and_drafts() -> None:
    done = run()
    assert (done.returncode, done.stderr) == (0, "")
    assert "(The series names it as its base-commit.)" in done.stdout
    assert "doorbell_interrupt() <- hard interrupt, request_irq()" in done.stdout
    assert "4 bugs (1 only on PREEMPT_RT). 3 of 3 patches applied." in done.stdout
    assert done.stdout.count("I have only read this") == 2
    assert "Nothing was sent" in done.stdout


def test_the_demo_finds_what_its_mail_was_written_to_contain() -> None:
    report = json.loads(run("--format", "json").stdout)
    found = [
        (patch["number"], finding["check"], finding["kernels"], finding["function"])
        for patch in report["patches"]
        for finding in patch["findings"]
    ]
    assert found == FOUND
    assert [patch["applied"] for patch in report["patches"]] == ["yes"] * 3
    assert report["errors"] == []


def test_the_demo_quotes_the_rules_of_its_own_tree() -> None:
    report = json.loads(run("--format", "json").stdout)
    for finding in (finding for patch in report["patches"] for finding in patch["findings"]):
        (citation,) = finding["citations"]
        assert citation["path"] == DOCUMENTS[finding["check"]]
        assert citation["commit"] == report["series"]["base"]["commit"]
        words = (demo._DATA / "tree" / citation["path"]).read_text()
        assert citation["quote"] in " ".join(words.split())


@pytest.mark.parametrize("home", [None, "", "/nonexistent"])
def test_the_demo_needs_no_home_and_no_identity(tmp_path: Path, home: str | None) -> None:
    nothing = dict.fromkeys(("XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL"))
    done = run(HOME=home, TMPDIR=str(tmp_path), **nothing)
    assert (done.returncode, done.stderr) == (0, "")
    assert "4 bugs" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_demo_ignores_the_settings_of_user_and_machine(tmp_path: Path) -> None:
    settings = tmp_path / "gitconfig"
    settings.write_text(
        "[reviewer]\n\tchecks = kvm-*\n\tbase = v1.0\n\tseverity = bug\n"
        "[core]\n\tautocrlf = true\n\thooksPath = /nonexistent\n"
        "[commit]\n\tgpgSign = true\n[init]\n\tdefaultBranch = odd\n[user]\n\tuseConfigOnly = true\n"
    )
    plain = run("--format", "json")
    assert run("--format", "json", GIT_CONFIG_GLOBAL=str(settings)).stdout == plain.stdout
    counted = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "commit.gpgSign", "GIT_CONFIG_VALUE_0": "true"}
    assert run("--format", "json", **counted).stdout == plain.stdout
    assert run("--format", "json", GIT_DIR="/nonexistent", GIT_INDEX_FILE="/nonexistent").stdout == plain.stdout


def test_the_demo_gives_the_same_bytes_each_time(tmp_path: Path) -> None:
    first = run(TMPDIR=str(tmp_path)).stdout
    assert first == run(TMPDIR=str(tmp_path)).stdout


def test_the_demo_uses_no_network(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    # The child process that runs b4 gets a way out that leads nowhere.
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert main(["demo"]) == 0
    assert "3 of 3 patches applied" in capsys.readouterr().out


def test_the_kept_demo_can_be_reviewed_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = tmp_path / "a folder"
    assert main(["demo", "--keep", str(kept)]) == 0
    assert f"--repo '{kept}/linux'" in capsys.readouterr().out
    assert len(list((kept / "drafts").glob("*.eml"))) == 2
    assert main(["review", str(kept / "doorbell.mbox"), "--repo", str(kept / "linux"), "--format", "json"]) == 1
    capsys.readouterr()
    assert main(["demo", "--keep", str(kept)]) == 2
    assert "is there already" in capsys.readouterr().err


def test_the_mail_belongs_to_the_tree(tmp_path: Path) -> None:
    """Who changes the example's tree has to write its mail anew: base-commit and blob ids are in it."""
    tree, mail = make_example(tmp_path)
    head = subprocess.run(["git", "-C", str(tree), "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    assert re.findall(r"^base-commit: (\w+)$", mail.read_text(), re.MULTILINE) == [head.stdout.strip()]
    assert not subprocess.run(["git", "-C", str(tree), "status", "--short"], check=True, capture_output=True).stdout


def test_the_umask_does_not_matter(tmp_path: Path) -> None:
    ids = set()
    for mask in (0o000, 0o077):
        before = os.umask(mask)
        try:
            tree, _ = make_example(tmp_path / f"{mask:o}")
        finally:
            os.umask(before)
        head = subprocess.run(["git", "-C", str(tree), "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
        ids.add(head.stdout)
    assert len(ids) == 1


def test_the_drafts_answer_the_patches(tmp_path: Path) -> None:
    assert main(["demo", "--keep", str(tmp_path / "kept")]) == 0
    answered = set()
    for path in (tmp_path / "kept" / "drafts").glob("*.eml"):
        mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        assert mail["From"] == "Jane Reviewer <jane@example.org>"
        assert str(mail["To"]) == "Ada Bell <ada@example.org>"
        answered.add(mail["In-Reply-To"])
    assert answered == {f"<20250311143320.81-{number}-ada@example.org>" for number in (2, 3)}


def test_people_and_hosts_of_the_example_do_not_exist() -> None:
    for path in demo._DATA.rglob("*"):
        if path.is_file() and path.suffix != ".pyc":
            for host in re.findall(r"@([\w.-]+\.\w+)\b", path.read_text()):
                assert host.endswith("example.org"), path
