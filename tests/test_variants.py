# SPDX-License-Identifier: GPL-2.0-or-later
"""Files of one driver that are for different devices: the interrupt of one never comes for the other."""

from __future__ import annotations

import pytest

from tests.findings import brought_by

_HEADER = """\
struct hba { spinlock_t lock; int slots; };
struct hba_hw { int (*start)(struct hba *hba); };
"""
_OLD = """\
static irqreturn_t old_interrupt(int irq, void *data)
{
	struct hba *hba = data;

	spin_lock(&hba->lock);
	hba->slots++;
	spin_unlock(&hba->lock);
	return IRQ_HANDLED;
}

static int old_start(struct hba *hba)
{
	return request_irq(hba->irq, old_interrupt, 0, "old", hba);
}
"""
_NEW = """\
static irqreturn_t new_thread(int irq, void *data)
{
	struct hba *hba = data;

	spin_lock(&hba->lock);
	hba->slots--;
	spin_unlock(&hba->lock);
	return IRQ_HANDLED;
}

static int new_start(struct hba *hba)
{
	return request_threaded_irq(hba->irq, NULL, new_thread, IRQF_ONESHOT, "new", hba);
}
"""
_TABLE = "\nstatic const struct {name} {kind}_hw = {{\n\t.start = {kind}_start,\n}};\n"


@pytest.mark.parametrize(
    ("name", "header", "found"),
    [
        ("hba_hw", "drivers/example/hba.h", []),
        ("hba_hw", "include/linux/hba.h", ["lock-irq-unsafe"]),
        ("", "drivers/example/hba.h", ["lock-irq-unsafe"]),
    ],
)
def test_tables_of_the_folders_own_tell_devices_apart(name: str, header: str, found: list[str]) -> None:
    old, new = (_TABLE.format(name=name, kind=kind) if name else "" for kind in ("old", "new"))
    others = {header: _HEADER, "drivers/example/old.c": _OLD + old}
    assert [finding.check for finding in brought_by(_NEW + new, path="drivers/example/new.c", others=others)] == found
