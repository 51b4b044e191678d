# SPDX-License-Identifier: GPL-2.0-or-later
"""The checks and templates that ship with the program; see ``config.data_dir``."""
