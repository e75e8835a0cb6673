"""Runs the benchmarks: servers in alternation, medians, ratios."""
