# SPDX-License-Identifier: GPL-2.0-or-later
"""C text to functions. Knows C, not locks."""
