# SPDX-License-Identifier: GPL-2.0-or-later
"""What comes from and goes to the list. Knows mail, not git trees and not C."""
