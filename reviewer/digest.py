# SPDX-License-Identifier: GPL-2.0-or-later
"""What decides an answer besides the trees: the program, its checks and tables, the grammar."""

from __future__ import annotations

import hashlib
import importlib.metadata
import sys
from collections.abc import Sequence
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_LIBRARIES = ("tree-sitter", "tree-sitter-c")


def program_digest(folders: Sequence[Path]) -> str:
    """A digest of the program's own source, of the checks and tables in ``folders``, and of what they run on."""
    digest = hashlib.sha256(sys.version.encode())
    for library in _LIBRARIES:
        digest.update(importlib.metadata.version(library).encode())
    files = sorted(_PACKAGE.rglob("*.py"))
    files += [path for folder in folders for path in sorted(folder.iterdir()) if path.suffix in (".py", ".toml")]
    for path in files:
        data = path.read_bytes()
        digest.update(f"{path.name} {len(data)} ".encode())
        digest.update(data)
    return digest.hexdigest()
