"""Benchmarks: side by side in one run, with ratios and the machine. ``make bench`` runs them all."""
