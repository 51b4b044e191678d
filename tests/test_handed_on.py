# SPDX-License-Identifier: GPL-2.0-or-later
"""Registrations behind functions and macros of other files, which hand on what they are given."""

from __future__ import annotations

import pytest

from reviewer.context.entry import ways_in
from reviewer.context.schema import EntryKind
from reviewer.source.program import Program
from reviewer.source.store import Store
from tests.findings import API
from tests.memory_files import MemoryFiles

_USER = "drivers/misc/bell/ring.c"
_FILES = {
    "drivers/misc/bell/bell.h": '#include "../common.h"\nint bell_request(struct bell *bell, irq_handler_t ring);\n',
    "drivers/misc/common.h": "#define BELL_INIT_WORK_WITH(_bell, _fn, _data) \\\n\tINIT_WORK(&(_bell)->work, (_fn))\n"
    "#define BELL_TABLE(_bell, _fn)\tINIT_WORK(&(_bell)->work, _fn)\n",
    "drivers/misc/bell/core.c": "int bell_request(struct bell *bell, irq_handler_t ring)\n{\n"
    '\treturn request_irq(bell->irq, ring, IRQF_NO_THREAD, "bell", bell);\n}\n'
    "int bell_replaced(struct bell *bell, irq_handler_t ring)\n{\n\tring = bell->ring;\n"
    '\treturn request_irq(bell->irq, ring, IRQF_NO_THREAD, "bell", bell);\n}\n'
    "int bell_found(struct bell *bell, irq_handler_t ring)\n{\n\tring = bell_ringer(ring);\n"
    '\treturn request_irq(bell->irq, ring, IRQF_NO_THREAD, "bell", bell);\n}\n'
    "void bell_later(struct bell *bell, work_func_t ring)\n{\n\tif (bell->cpu)\n"
    '\t\tcpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "bell", ring, NULL);\n\telse\n'
    "\t\tINIT_WORK(&bell->work, ring);\n}\n"
    "void bell_rings(struct bell *bell, irq_handler_t ring)\n{\n\tbell_rings(bell, ring);\n}\n",
}


@pytest.mark.parametrize(
    ("call", "kinds"),
    [
        ("bell_request(bell, ring)", [EntryKind.HARDIRQ]),
        ("bell_request(bell, (irq_handler_t)ring)", [EntryKind.HARDIRQ]),
        ("bell_replaced(bell, ring)", []),
        ("bell_found(bell, ring)", []),
        ("bell_later(bell, ring)", []),
        ("bell_rings(bell, ring)", []),
        ("BELL_INIT_WORK_WITH(bell, (void *)ring, bell->data)", [EntryKind.TASK]),
        ("BELL_TABLE(bell, ring)", []),
    ],
)
def test_context_is_that_of_the_registration_at_the_end(call: str, kinds: list[EntryKind]) -> None:
    user = f'#include "bell.h"\nstatic void ring(int irq)\n{{\n}}\nvoid f(struct bell *bell)\n{{\n\t{call};\n}}\n'
    program = Program(MemoryFiles({**_FILES, _USER: user}), Store(None))
    (ring,) = program.functions(_USER, "ring")
    assert [way.kind for way in ways_in(program, API, ring)] == kinds
