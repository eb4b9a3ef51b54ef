"""Helpers of test_faults.py: killing a command at a step, and what must hold afterwards."""
