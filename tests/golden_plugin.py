# SPDX-License-Identifier: GPL-2.0-or-later
"""Texts that a person has read once: ``golden(name, text)`` compares with tests/golden/NAME.

``pytest --update-golden`` writes what the program says now; read the difference before committing it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    parser.addoption("--update-golden", action="store_true", help="write the golden texts anew instead of comparing")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compares a text with a golden file, or writes it where that was asked for."""

    def compare(name: str, text: str) -> None:
        path = FOLDER / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(text.encode())
            return
        assert path.is_file(), f"{path} is missing: write it with pytest --update-golden, then read it"
        assert text == path.read_bytes().decode(), f"differs from {path}; pytest --update-golden writes it anew"

    return compare
