# SPDX-License-Identifier: GPL-2.0-or-later
"""Members that point from an object back to the one that it was made for."""

from __future__ import annotations

import pytest

from tests.findings import brought_by

CHANNEL = """
struct channel { struct port *port; struct delayed_work work; spinlock_t lock; };
#define is_shared(channel) (!(channel)->port)
int channel_start(struct channel **channel, struct port *port)
{
	struct channel *c;

	if (*channel)
		return -EEXIST;
	c = kzalloc(sizeof(*c), GFP_ATOMIC);
	if (!c)
		return -ENOMEM;
	c->port = port;
	spin_lock_init(&c->lock);
	*channel = c;
	return 0;
}
struct channel *channel_make(struct port *port)
{
	struct channel *c = kzalloc(sizeof(*c), GFP_ATOMIC);

	if (!c)
		return ERR_PTR(-ENOMEM);
	c->port = port;
	return c;
}
void channel_stop(struct channel **channel)
{
	struct channel *c = *channel;

	if (!c)
		return;
	if (is_shared(c))
		cancel_delayed_work_sync(&c->work);
	*channel = NULL;
	kfree(c);
}
void channel_end(struct channel *c)
{
	if (is_shared(c))
		cancel_delayed_work_sync(&c->work);
	kfree(c);
}
"""
ONE = CHANNEL.replace(CHANNEL[CHANNEL.index("struct channel *channel_make") : CHANNEL.index("void channel_stop")], "")
OTHER = CHANNEL.replace(CHANNEL[CHANNEL.index("int channel_start") : CHANNEL.index("struct channel *channel_make")], "")
PORT = """
struct port { struct channel *rx; struct channel *tx; spinlock_t lock; };
static struct port *port_create(void)
{
	struct port *port = kzalloc(sizeof(*port), GFP_KERNEL);

	if (!port)
		return NULL;
	if (channel_start(&port->rx, port)) {
		kfree(port);
		return NULL;
	}
	return port;
}
static void port_stop(struct port *port)
{
	spin_lock(&port->lock);
	channel_stop(&port->rx);
	spin_unlock(&port->lock);
}
"""
RETURNED = PORT.replace("if (channel_start(&port->rx, port)) {", "port->rx = channel_make(port);\n\tif (!port->rx) {")
ENDED = RETURNED.replace("channel_stop(&port->rx)", "channel_end(port->rx)")


def found(port: str, channel: str) -> list[str]:
    others = {"drivers/example/channel.c": channel}
    return [finding.function for finding in brought_by(port, path="drivers/example/port.c", others=others)]


@pytest.mark.parametrize(("port", "channel"), [(PORT, ONE), (RETURNED, OTHER), (ENDED, OTHER)])
def test_object_points_to_the_one_that_it_was_made_for(port: str, channel: str) -> None:
    assert found(port, channel) == []
    assert found(port, channel.replace("(!(channel)->port)", "((channel)->port)")) == ["port_stop"]


def test_object_that_is_put_there_by_its_maker_in_the_same_function() -> None:
    inline = ONE[ONE.index("struct channel {") : ONE.index("int channel_start")] + ONE[ONE.index("void channel_stop") :]
    made = "c = kzalloc(sizeof(*c), GFP_KERNEL);\n\tc->port = port;\n\tport->rx = c;\n\t"
    port = PORT.replace("if (channel_start(&port->rx, port)) {", made + "if (!c) {")
    port = inline + port.replace("struct port *port = kz", "struct channel *c;\n\tstruct port *port = kz")
    assert found(port, "") == []
    assert found(port.replace("c->port = port;", "c->port = NULL;"), "") == ["port_stop"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("channel_start(&port->rx, port)", "channel_start(&port->rx, NULL)"),
        ("channel_start(&port->rx, port)", "channel_start(&port->rx, port->peer)"),
        ("channel_stop(&port->rx)", "channel_stop(&port->tx)"),
        ("\treturn port;", "\tif (!port->rx)\n\t\tport->rx = spare;\n\treturn port;"),
        ("\treturn port;", "\tchannel_start(&port->rx, NULL);\n\treturn port;"),
        ("\treturn port;", "\tchannel_trade(&port->rx);\n\treturn port;"),
        ("\treturn port;", "\tport->chosen = &port->rx;\n\treturn port;"),
        ("\treturn port;", "#ifndef CONFIG_SPARE\n\treturn port;\n#endif\n\tport->rx = spare;\n\treturn port;"),
        ("static void port_stop", "static struct port only = { .rx = &spare };\nstatic void port_stop"),
        ("static void port_stop", "#define port_take(p, c) ((p)->rx = (c))\nstatic void port_stop"),
    ],
)
def test_object_that_may_be_another_need_not(old: str, new: str) -> None:
    assert old in PORT
    assert found(PORT.replace(old, new, 1), ONE) == ["port_stop"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\tc->port = port;", "\tif (port->ready)\n\t\tc->port = port;"),
        ("\tc->port = port;\n", ""),
        ("\tc->port = port;", "\tport = port->peer;\n\tc->port = port;"),
        ("\t*channel = c;", "\t*channel = c;\n\tmemset(c, 0, sizeof(*c));"),
        ("\t*channel = c;", "\t*channel = port->rx;"),
        ("\t*channel = c;", "\tif (port->last)\n\t\tc = port->last;\n\t*channel = c;"),
        ("\t*channel = c;", "\t*channel = c;\n\tport_register(channel);"),
        ("void channel_stop", "void channel_share(struct channel *c)\n{\n\tc->port = NULL;\n}\nvoid channel_stop"),
        ("\t*channel = NULL;", "\tport_take(&c->port);\n\t*channel = NULL;"),
    ],
)
def test_object_that_need_not_point_there(old: str, new: str) -> None:
    assert old in ONE
    assert found(PORT, ONE.replace(old, new, 1)) == ["port_stop"]


def test_structure_that_other_files_know() -> None:
    others = {"drivers/example/channel.c": ONE.replace("struct channel {", "struct chan {")}
    others["drivers/example/channel.h"] = ONE.partition("#define")[0]
    assert [each.function for each in brought_by(PORT, path="drivers/example/port.c", others=others)] == ["port_stop"]
