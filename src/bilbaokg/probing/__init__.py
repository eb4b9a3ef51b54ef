"""Asking links whether they answer, and looking at what is behind them.

A link is unknown until it was asked. Results are kept with their time; linter and quality use them.
What asks is prober.Prober, imported only by who asks: its HTTP client takes its time to load.
"""

from __future__ import annotations

from bilbaokg.probing.links import Link, links
from bilbaokg.probing.results import ANSWERS, DEAD, UNKNOWN, Probe, Probes

__all__ = ["ANSWERS", "DEAD", "UNKNOWN", "Link", "Probe", "Probes", "links"]
