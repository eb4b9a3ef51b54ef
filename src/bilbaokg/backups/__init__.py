"""Backups: a whole data directory of one moment, made while a server runs, and checked anew.

What must be of one moment is put aside under the lock of the working store (`moment`): its store as
hard links, small files as copies. The rest, which takes time, needs no lock: releases never change
(`making`). `manifest` is what a backup says of itself, `checking` whether that is so, `folders` the
dated backups in one place.
"""

from bilbaokg.backups.checking import verify
from bilbaokg.backups.folders import dated, prune, tidy
from bilbaokg.backups.making import LOG, make
from bilbaokg.backups.manifest import FILE, Manifest
from bilbaokg.backups.moment import take

__all__ = ["FILE", "LOG", "Manifest", "dated", "make", "prune", "take", "tidy", "verify"]
