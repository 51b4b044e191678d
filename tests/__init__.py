# SPDX-License-Identifier: GPL-2.0-or-later
"""Tests: hermetic, on real tools and, where SHARED and KERNEL_TREES say where they are, on real mail and trees."""
