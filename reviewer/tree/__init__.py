# SPDX-License-Identifier: GPL-2.0-or-later
"""The kernel repository: base, overlay, blobs, history. Knows git, not C."""
