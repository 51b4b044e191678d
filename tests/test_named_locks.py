# SPDX-License-Identifier: GPL-2.0-or-later
"""Locks that have one name in the whole kernel and are taken by calls without an argument."""

from __future__ import annotations

import textwrap

from tests.findings import brought_by

_RTNETLINK = """
static DEFINE_MUTEX(rtnl_mutex);

void rtnl_lock(void)
{
	mutex_lock(&rtnl_mutex);
}

void rtnl_unlock(void)
{
	mutex_unlock(&rtnl_mutex);
}

void unregister_netdev(struct net_device *dev)
{
	rtnl_lock();
	unregister_netdevice(dev);
	rtnl_unlock();
}
"""


def _found(code: str) -> list[tuple[str, int]]:
    found = brought_by(textwrap.dedent(code), path="drivers/net/card.c", others={"net/core/rtnetlink.c": _RTNETLINK})
    return [(f.check, f.line) for f in found]


def test_the_lock_is_held_when_a_callee_takes_it() -> None:
    assert _found(
        """\
        void card_remove(struct card *card)
        {
                rtnl_lock();
                unregister_netdev(card->dev);
                rtnl_unlock();
        }
        """
    ) == [("lock-recursive-class", 4)]


def test_the_lock_is_held_when_a_callback_takes_it() -> None:
    assert _found(
        """\
        static void card_stop(struct card *card)
        {
                pci_disable_sriov(card->pdev);
        }
        void card_remove(struct card *card)
        {
                rtnl_lock();
                card_stop(card);
                rtnl_unlock();
        }
        """
    ) == [("lock-recursive-class", 8)]


def test_the_lock_was_let_go_of_before() -> None:
    assert not _found(
        """\
        void card_remove(struct card *card)
        {
                rtnl_lock();
                card_stop(card);
                rtnl_unlock();
                pci_disable_sriov(card->pdev);
                unregister_netdev(card->dev);
        }
        """
    )
