# SPDX-License-Identifier: GPL-2.0-or-later
"""Where a name is looked for, and which of its definitions is nearest: by file, folder and architecture."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

# Where a name is looked for besides the folder of the file that uses it. What a driver offers to other folders it
# declares below include/.
_CORE = (
    "include/linux",
    "include/asm-generic",
    "include/kvm",
    "kernel",
    "mm",
    "virt",
    "lib",
    "arch/{arch}/include",
    "arch/{arch}/kernel",
    "arch/{arch}/kvm",
    "arch/{arch}/mm",
    "arch/{arch}/entry",
)
_DEFAULT_ARCH = "x86"
_ELSEWHERE = ("tools/", "samples/", "scripts/", "Documentation/")


def architecture_of(path: str) -> str | None:
    """``arm64`` for ``arch/arm64/kvm/arm.c``, None for code that every architecture shares."""
    parts = path.split("/")
    return parts[1] if parts[0] == "arch" and len(parts) > 2 else None


def architecture(user: str) -> str:
    """The architecture for which ``user`` is read."""
    return architecture_of(user) or _DEFAULT_ARCH


def folders_seen_from(path: str) -> tuple[str, ...]:
    """The folders in which a name used in ``path`` is looked for."""
    arch = architecture(path)
    parts = path.split("/")
    depth = {"drivers": 4, "sound": 3, "net": 2, "fs": 2, "arch": 3}.get(parts[0], 1)
    own = "/".join(parts[: min(depth, len(parts) - 1)])
    folders = [folder.format(arch=arch) for folder in _CORE]
    if not own:
        return tuple(folders)
    extra = [f"include/{parts[0]}"] if parts[0] in ("net", "drm", "sound", "crypto") else []
    kept = [folder for folder in folders if not (folder + "/").startswith(own + "/")]
    if any((own + "/").startswith(folder + "/") for folder in kept):
        return (*kept, *extra)
    return (own, *kept, *extra)


def distance(path: str, user: str) -> int:
    """How far a definition in ``path`` is from its user: 0 the same file, 9 out of reach."""
    arch = architecture(user)
    if path == user:
        return 0
    if posixpath.dirname(path) == posixpath.dirname(user):
        return 1
    if path.startswith(_ELSEWHERE):
        return 9
    own_arch = architecture_of(path)
    if own_arch is not None:
        return 2 if own_arch == arch else 9
    if path.startswith(("kernel/", "mm/", "lib/", "virt/", "include/")):
        return 3
    return 5


def left_to_users(paths: Sequence[str], shared: str) -> bool:
    """Whether each file that includes ``shared`` may have its own of a name: ``paths`` define it for one file alone."""
    beside = [path for path in paths if posixpath.dirname(path) == posixpath.dirname(shared)]
    return len(beside) > 1 and any(path.endswith(".c") for path in beside)
