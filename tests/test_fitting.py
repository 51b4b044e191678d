# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions that come to fit a call through a member with a patch, or no longer do."""

from __future__ import annotations

import pytest

from reviewer.context.effects import EventKind
from tests.findings import between

_USE = """
void panel_run(struct panel *panel)
{
	raw_spin_lock(&panel->lock);
	panel->foreign->refresh(panel, 1);
	raw_spin_unlock(&panel->lock);
}
"""
_HEADER = "struct panel { raw_spinlock_t lock; struct foreign *foreign; };\n"


def _files(parameters: str) -> dict[str, str]:
    own = f"static void refresh_all({parameters})\n{{\n\tmsleep(1);\n}}\n\n"
    table = "static const struct own_ops own_ops = {\n\t.refresh = refresh_all,\n};\n"
    return {"drivers/a/panel.h": _HEADER, "drivers/a/use.c": _USE, "drivers/a/own.c": own + table}


@pytest.mark.parametrize(
    ("before", "after", "sleeps"),
    [
        ("struct panel *panel", "struct panel *panel, int how", True),
        ("struct panel *panel, int how", "struct panel *panel", False),
        ("struct panel *panel, int how", "struct panel *panel, long how", True),
    ],
)
def test_caller_is_seen_anew_where_a_function_comes_to_fit(before: str, after: str, *, sleeps: bool) -> None:
    analyser = between(_files(before), _files(after)).after
    (user,) = analyser.program.functions("drivers/a/use.c", "panel_run")
    reached = {effect.kind for effect in analyser.summary(user).effects.values()}
    assert (EventKind.SLEEP in reached) == sleeps
