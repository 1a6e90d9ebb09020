"""Metrics, alarms and their evaluation (Amazon CloudWatch)."""
