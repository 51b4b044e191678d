# SPDX-License-Identifier: GPL-2.0-or-later
"""What every test gets: an environment of its own, and the way to the real mail and the real kernel trees.

``SHARED`` names the folder with the mail threads and the corpus, ``KERNEL_TREES`` the folder with the kernel trees.
Without them, or without a tool such as public-inbox, the tests concerned are skipped and say why;
``REVIEWER_REQUIRE_ALL=1`` turns every skip into a failure.
"""

from __future__ import annotations

import importlib.util
import os
import signal
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parent.parent

pytest_plugins = [
    name
    for name in ("tests.inbox", "tests.golden_plugin", "tests.kernels")
    if importlib.util.find_spec(name) is not None
]

_GIT_CONFIG: Final = """\
[user]
	name = Jane Reviewer
	email = jane@example.org
[init]
	defaultBranch = master
[gc]
	auto = 0
[advice]
	detachedHead = false
"""

# Variables that would let the machine's settings into a test. GIT_* go as well.
_LEAKS: Final = frozenset(
    {
        *("EDITOR", "VISUAL", "PAGER", "EMAIL", "MAIL", "MAILDIR", "NO_COLOR", "FORCE_COLOR", "CLICOLOR", "COLUMNS"),
        *("LINES", "LANGUAGE", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONWARNINGS", "COVERAGE_PROCESS_START"),
        *("http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    }
)


def _isolate(patch: pytest.MonkeyPatch, home: Path) -> None:
    for name in os.environ:
        if name.startswith(("GIT_", "XDG_", "LC_", "B4_")) or name in _LEAKS:
            patch.delenv(name)
    config = home / "gitconfig"
    config.write_text(_GIT_CONFIG)
    patch.setenv("HOME", str(home))
    patch.setenv("XDG_CACHE_HOME", str(home / "cache"))
    patch.setenv("XDG_DATA_HOME", str(home / "data"))
    patch.setenv("XDG_CONFIG_HOME", str(home / "config"))
    patch.setenv("GIT_CONFIG_GLOBAL", str(config))
    patch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    patch.setenv("GIT_TERMINAL_PROMPT", "0")
    patch.setenv("LC_ALL", "C.UTF-8")
    patch.setenv("TZ", "UTC")
    patch.setenv("TERM", "dumb")


@pytest.fixture(scope="session", autouse=True)
def _hermetic_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The same for fixtures that live as long as the run, such as a mail archive."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # nohup and background jobs hand that down to every child
        signal.signal(signal.SIGINT, signal.default_int_handler)
    with pytest.MonkeyPatch.context() as patch:
        _isolate(patch, tmp_path_factory.mktemp("session-home"))
        yield


@pytest.fixture(autouse=True)
def _hermetic(_hermetic_session: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A home folder, XDG folders and a git configuration for each test, with an identity and nothing else."""
    # A patch of its own: a test's monkeypatch.undo() must not take the isolation away.
    with pytest.MonkeyPatch.context() as patch:
        _isolate(patch, tmp_path_factory.mktemp("home"))
        yield


def _folder(variable: str) -> Path:
    value = os.environ.get(variable)
    if not value:
        pytest.skip(f"{variable} is not set")
    path = Path(value).expanduser().resolve()
    if not path.is_dir():
        pytest.skip(f"{variable}: {path} is not a folder")
    return path


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with mail/threads and corpus."""
    return _folder("SHARED")


@pytest.fixture(scope="session")
def kernel_tree() -> Callable[[str], Path]:
    """Gives the git repository of a kernel version. It is never written to: clone it with ``--shared``."""

    def tree(version: str) -> Path:
        path = _folder("KERNEL_TREES") / f"linux-{version}"
        if not (path / ".git").exists():
            pytest.skip(f"KERNEL_TREES has no linux-{version}")
        return path

    return tree


@pytest.fixture(scope="session")
def rt_queue() -> Path:
    """The folder of the PREEMPT_RT patch queue for 6.12: patches and a ``series`` file."""
    path = _folder("KERNEL_TREES") / "rt-6.12"
    if not (path / "series").is_file():
        pytest.skip("KERNEL_TREES has no rt-6.12")
    return path


def _is_wrong_to_skip(report: pytest.TestReport | pytest.CollectReport) -> bool:
    """Whether this is a skip, and for want of something: a table without rows is complete as it is."""
    return (
        os.environ.get("REVIEWER_REQUIRE_ALL") == "1"
        and report.skipped
        and not hasattr(report, "wasxfail")
        and "got empty parameter set" not in report.longreprtext
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A skip is a failure where everything is required."""
    report = yield
    if _is_wrong_to_skip(report):
        report.outcome = "failed"
        report.longrepr = f"skipped, and REVIEWER_REQUIRE_ALL=1 allows no skips: {report.longreprtext}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole module that skips itself."""
    report = yield
    if _is_wrong_to_skip(report):
        report.outcome = "failed"
        report.longrepr = f"skipped, and REVIEWER_REQUIRE_ALL=1 allows no skips: {report.longreprtext}"
    return report
