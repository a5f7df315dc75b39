"""Figures, measured as whole processes and as ratios within one run; docs/BENCHMARKS.md holds the results."""
