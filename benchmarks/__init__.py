"""Measures structgen beside its peers, in one run. ``python -m benchmarks --help``; method in README.md."""
