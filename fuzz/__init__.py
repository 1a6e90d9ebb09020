"""Fuzzing of what takes text from outside, guided by coverage: `make fuzz`."""
