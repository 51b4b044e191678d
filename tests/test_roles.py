# SPDX-License-Identifier: GPL-2.0-or-later
"""Handlers that only providers in one role call."""

from __future__ import annotations

import pytest

from tests.findings import brought_by

HEADER = "struct spi_message { void (*complete)(void *context); void *context; int status; };\n"
KCONFIG = """
config SPI_SLAVE
	bool "Handlers for a controller that is a target"

if SPI_SLAVE

config SPI_SLAVE_CLOCK
	tristate "Clock"

endif

config SPI_CLOCK
	tristate "Clock"
"""
CLOCK = """
static void clock_complete(void *context)
{
	msleep(1);
}
static int clock_submit(struct clock *clock)
{
	struct spi_message *msg = &clock->msg;

	msg->complete = clock_complete;
	return spi_async(clock->spi, msg);
}
"""
CONTROLLER = """
struct controller { struct spi_message *msg; spinlock_t lock; };
static void controller_done(struct controller *c)
{
	spin_lock(&c->lock);
	c->msg->complete(c->msg->context);
	spin_unlock(&c->lock);
}
static int controller_probe(struct device *dev)
{
	return controller_add(devm_spi_alloc_host(dev, 0));
}
"""


def found(controller: str, option: str, clock: str = CLOCK, path: str = "drivers/spi/controller.c") -> list[str]:
    others = {
        "include/linux/spi/spi.h": HEADER,
        "drivers/spi/Kconfig": KCONFIG,
        "drivers/spi/Makefile": f"obj-$(CONFIG_{option}) += clock.o\n",
        "drivers/spi/clock.c": clock,
    }
    return [finding.function for finding in brought_by(controller, path=path, others=others)]


def test_handler_for_targets_is_not_called_by_one_that_is_always_the_host() -> None:
    assert found(CONTROLLER, "SPI_SLAVE_CLOCK") == []
    assert found(CONTROLLER, "SPI_CLOCK") == ["controller_done"]


@pytest.mark.parametrize(
    "controller",
    [
        CONTROLLER.replace("devm_spi_alloc_host", "devm_spi_alloc_target"),
        CONTROLLER.replace("devm_spi_alloc_host(dev, 0)", "dev->a ? spi_alloc_target(dev, 0) : spi_alloc_host(dev, 0)"),
        CONTROLLER.replace("devm_spi_alloc_host", "controller_alloc"),
        CONTROLLER.replace("devm_spi_alloc_host(dev, 0)", "controller_alloc(dev) /* as spi_alloc_host() */"),
    ],
)
def test_handler_for_targets_is_called_by_one_that_may_be_a_target(controller: str) -> None:
    assert found(controller, "SPI_SLAVE_CLOCK") == ["controller_done"]


def test_other_members_are_called_in_any_role() -> None:
    clock = CLOCK.replace("complete", "status")
    controller = CONTROLLER.replace("complete", "status")
    assert found(controller, "SPI_SLAVE_CLOCK", clock) == ["controller_done"]


def test_handler_that_is_reached_through_shared_code() -> None:
    start, end = CONTROLLER.index("static void"), CONTROLLER.index("static int")
    done = CONTROLLER[start:end].replace("static void", "void").replace("\tspin_lock(&c->lock);\n", "")
    shared = CLOCK + CONTROLLER[:start] + done.replace("\tspin_unlock(&c->lock);\n", "")
    user = CONTROLLER[end:] + "static void finish(struct controller *c)\n{\n\tspin_lock(&c->lock);\n"
    user += "\tcontroller_done(c);\n\tspin_unlock(&c->lock);\n}\n"
    assert found(user, "SPI_SLAVE_CLOCK", shared) == []
    assert found(user, "SPI_CLOCK", shared) == ["finish"]
    assert found(user.replace("alloc_host", "alloc_target"), "SPI_SLAVE_CLOCK", shared) == ["finish"]
