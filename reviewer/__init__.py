# SPDX-License-Identifier: GPL-2.0-or-later
"""A patch-review assistant for the Linux kernel's mailing lists."""

__version__ = "0.1.0"
