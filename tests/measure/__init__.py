# SPDX-License-Identifier: GPL-2.0-or-later
"""Measurements on real trees, run by hand: they say figures, and they are no tests."""
