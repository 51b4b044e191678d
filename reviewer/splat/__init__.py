# SPDX-License-Identifier: GPL-2.0-or-later
"""Reports of the kernel's own debugging (lockdep, RCU, atomic context), from the text of a log or mail to words."""
