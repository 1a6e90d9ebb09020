"""Benchmarks: each measures the lab beside something that a user would pick instead, and states a ratio."""
