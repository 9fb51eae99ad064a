"""Benchmarks: each runs us and named peers side by side and prints ratios of CPU seconds. None is a timed test."""
