# SPDX-License-Identifier: GPL-2.0-or-later
"""Ways through shared code into another architecture: what one is computed for, the others do not have."""

from __future__ import annotations

from collections.abc import Iterable

from reviewer.model import Step
from reviewer.source.cfg import Function
from reviewer.source.nearness import architecture_of


def leads_abroad(steps: Iterable[Step], function: Function) -> bool:
    """Whether ``steps`` below ``function`` go through another architecture than its own; shared code has none."""
    if (own := architecture_of(function.path)) is None:
        return False
    home = f"arch/{own}/"
    return any(step.path.startswith("arch/") and not step.path.startswith(home) for step in steps)
