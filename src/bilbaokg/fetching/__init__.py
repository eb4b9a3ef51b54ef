"""Asking other people's servers: politely, and never into a private network.

guard.py judges addresses before it connects, polite.py keeps to robots.txt and leaves pauses. Both
are imported only by who asks: their HTTP client takes its time to load.
"""

from __future__ import annotations

__all__: list[str] = []
