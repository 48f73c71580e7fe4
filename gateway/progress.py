"""How far something is, for whoever watches: the command line draws it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Protocol


class Bar(Protocol):
    """Shows how far something is."""

    def update(self, n: int) -> object:
        """So much more is done."""


Watch = Callable[[int, str], contextlib.AbstractContextManager[Bar]]
"""Begins a bar of so many of such a unit."""
