"""flowlog."""
