# SPDX-License-Identifier: GPL-2.0-or-later
"""A Review as text and as data."""
