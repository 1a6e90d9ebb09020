"""Benchmarks: each compares the lab with something that a user would pick instead, and states a ratio."""
