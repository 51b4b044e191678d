# SPDX-License-Identifier: GPL-2.0-or-later
"""The example that ``reviewer demo`` runs on: a small tree, and a thread of mail with three patches to it.

Tree, documents and mail were written for this program; the device and the people do not exist.
"""
