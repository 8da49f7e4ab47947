"""Garbage collection is off while a function starts, which saves a seventh of the start (reference/performance.md 1.3).

Importing this module, before everything else, turns it off; `over()`, the last line of the start, turns it on again and
exempts what lives for as long as the process does.
"""

from __future__ import annotations

import gc

gc.disable()


def over() -> None:
    """The function is ready for its first event."""
    gc.freeze()
    gc.enable()
