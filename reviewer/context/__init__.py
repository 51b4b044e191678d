# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions to execution contexts. Knows the kernel's API only through tables."""
