# SPDX-License-Identifier: GPL-2.0-or-later
"""Wheel, source archive, editable install and plain checkout all run, with every check and template."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import importlib.util
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

from reviewer import __version__
from tests.conftest import ROOT

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
# Folder of the checkout -> what of it belongs into the package.
BUNDLED = {"checks": (".py", ".toml"), "templates": (".j2",)}


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def need_build_tools() -> None:
    if importlib.util.find_spec("pip") is None:
        pytest.skip("pip is not installed in this environment")
    if int(importlib.metadata.version("setuptools").split(".")[0]) < 77:
        pytest.skip("setuptools is older than 77; pip install -e '.[dev]' brings a newer one")


@dataclasses.dataclass(frozen=True)
class Environment:
    """An environment without the project; the libraries it needs are borrowed from the one that runs the tests."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def command(self) -> Path:
        return self.folder / "bin" / "reviewer"

    def install(self, *what: str | Path) -> None:
        pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", f"--python={self.python}", "install", "-q")
        run(*pip, "--no-deps", "--no-index", "--no-build-isolation", *what, cwd=self.folder)


def environment(folder: Path) -> Environment:
    venv.create(folder, with_pip=False, symlinks=True)
    made = Environment(folder)
    site = run(made.python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip()
    # A path in a .pth file comes after the environment's own folder, and the .pth files in it (an editable install of
    # the project, say) are not followed.
    borrowed = dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib")))
    Path(site, "borrowed.pth").write_text("".join(f"{path}\n" for path in borrowed))
    return made


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout, so that building leaves nothing in it."""
    need_build_tools()
    copy = tmp_path_factory.mktemp("source") / "project"
    skipped = shutil.ignore_patterns(".git", ".venv", "build", "dist", "*.egg-info", "__pycache__", ".*_cache")
    shutil.copytree(ROOT, copy, ignore=skipped)
    return copy


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "-q")
    run(*pip, "--no-deps", "--no-index", "--no-build-isolation", "-w", out, source, cwd=out)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    made = environment(tmp_path_factory.mktemp("installed") / "env")
    made.install(wheel)
    return made


def in_checkout(name: str) -> list[str]:
    return sorted(path.name for path in (ROOT / name).iterdir() if path.suffix in BUNDLED[name])


LIST = "from reviewer.config import data_dir; print(*sorted(p.name for p in data_dir({!r}).iterdir() if p.is_file()))"


@pytest.mark.parametrize("name", sorted(BUNDLED))
def test_the_wheel_has_every_check_and_template(installed: Environment, name: str) -> None:
    found = run(installed.python, "-c", LIST.format(name), cwd=installed.folder).split()
    expected = in_checkout(name)
    assert expected, f"{name}/ is empty"
    assert found == expected


def test_the_wheel_runs_and_is_not_the_checkout(installed: Environment) -> None:
    where = run(installed.python, "-c", "import reviewer; print(reviewer.__file__)", cwd=installed.folder).strip()
    assert Path(where).is_relative_to(installed.folder)
    version = f"reviewer {__version__}\n"
    assert run(installed.command, "--version", cwd=installed.folder) == version
    assert run(installed.python, "-m", "reviewer", "--version", cwd=installed.folder) == version


def test_the_wheel_lists_as_many_rules_as_the_checkout(installed: Environment) -> None:
    from_wheel = run(installed.command, "rules", cwd=installed.folder)
    assert from_wheel.strip()
    assert from_wheel == run(sys.executable, "-m", "reviewer", "rules", cwd=ROOT)


def test_the_wheel_runs_the_example(installed: Environment) -> None:
    assert "Nothing was sent" in run(installed.command, "demo", cwd=installed.folder)


@pytest.mark.parametrize("name", ["checks", "templates", "tests"])
def test_nothing_called_checks_can_be_imported(installed: Environment, name: str) -> None:
    code = f"import importlib.util; print(importlib.util.find_spec({name!r}))"
    assert run(installed.python, "-c", code, cwd=installed.folder) == "None\n"


def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    info = f"{PYPROJECT['project']['name'].replace('-', '_')}-{__version__}.dist-info"
    assert {name.split("/")[0] for name in names} == {"reviewer", info}
    assert f"{info}/licenses/LICENSE" in names
    assert "reviewer/py.typed" in names
    inside = {name for name in names if name.startswith("reviewer/") and not name.startswith("reviewer/_bundled/")}
    expected = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "reviewer").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert inside == expected - {"reviewer/_bundled/__init__.py"}
    metadata = zipfile.ZipFile(wheel).read(f"{info}/METADATA").decode()
    assert "License-Expression: GPL-2.0-or-later\n" in metadata
    assert "Requires-Python: >=3.11\n" in metadata


def test_the_source_archive_builds_the_same_wheel(source: Path, wheel: Path, tmp_path: Path) -> None:
    build = "import setuptools.build_meta as b, sys; b.build_sdist(sys.argv[1])"
    run(sys.executable, "-c", build, tmp_path, cwd=source)
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(tmp_path, filter="data")
    (unpacked,) = (path for path in tmp_path.iterdir() if path.is_dir())
    build = "import setuptools.build_meta as b, sys; b.build_wheel(sys.argv[1])"
    run(sys.executable, "-c", build, tmp_path, cwd=unpacked)
    (again,) = tmp_path.glob("*.whl")
    assert sorted(zipfile.ZipFile(again).namelist()) == sorted(zipfile.ZipFile(wheel).namelist())


def test_an_editable_install_follows_the_checkout(source: Path, tmp_path: Path) -> None:
    made = environment(tmp_path / "env")
    made.install("-e", source)
    assert run(made.command, "--version", cwd=tmp_path) == f"reviewer {__version__}\n"
    for name in BUNDLED:
        found = run(made.python, "-c", LIST.format(name), cwd=tmp_path).split()
        assert set(in_checkout(name)) <= set(found)
    code = "import importlib.util; print(importlib.util.find_spec('checks'))"
    assert run(made.python, "-c", code, cwd=tmp_path) == "None\n"
    (source / "templates" / "added.j2").write_text("")
    try:
        assert "added.j2" in run(made.python, "-c", LIST.format("templates"), cwd=tmp_path).split()
    finally:
        (source / "templates" / "added.j2").unlink()


def test_a_plain_checkout_runs() -> None:
    assert run(sys.executable, "-m", "reviewer", "--version", cwd=ROOT) == f"reviewer {__version__}\n"


def test_every_package_is_named_in_pyproject() -> None:
    folders = {".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / "reviewer").rglob("__init__.py")}
    assert folders | {f"reviewer._bundled.{name}" for name in BUNDLED} == set(
        PYPROJECT["tool"]["setuptools"]["packages"]
    )


def test_the_lock_file_belongs_to_the_project() -> None:
    """The requirements that were locked are those of pyproject.toml, and every file has its hash."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text())
    packages = {package["name"]: package for package in lock["package"]}
    project = packages.pop(PYPROJECT["project"]["name"])
    locked = {
        (entry["name"], entry.get("specifier", ""), entry.get("marker", ""))
        for entry in project["metadata"]["requires-dist"]
    }
    wanted = {(*_split(requirement), "") for requirement in PYPROJECT["project"]["dependencies"]}
    for extra, requirements in PYPROJECT["project"]["optional-dependencies"].items():
        wanted |= {(*_split(requirement), f"extra == '{extra}'") for requirement in requirements}
    assert locked == wanted
    assert lock["requires-python"] == PYPROJECT["project"]["requires-python"]
    for package in packages.values():
        files = [*package.get("wheels", ()), *([package["sdist"]] if "sdist" in package else ())]
        assert files
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", file["hash"]) for file in files)


def test_the_lock_file_names_no_server() -> None:
    """Where the packages come from is the business of the machine that installs them."""
    assert "://" not in (ROOT / "uv.lock").read_text()


def _split(requirement: str) -> tuple[str, str]:
    match = re.fullmatch(r"([A-Za-z0-9._-]+)(.*)", requirement)
    assert match is not None
    return match[1], match[2]
