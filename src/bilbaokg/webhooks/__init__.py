"""Telling others of a release: signed requests to addresses that the operator named.

    events.py    what is told of a switch from one release to another
    signing.py   the secret, and signatures as Standard Webhooks 1.0.0 wants them
    outbox.py    what is still to be told to whom, and what came of it: a file that outlives a kill
    sending.py   the requests themselves, never into a private network; imported only by who sends

A release is published whatever becomes of its webhooks: they are noted after it, and sent by
whoever comes by. What is sent twice has the same id.
"""

from __future__ import annotations

__all__: list[str] = []
