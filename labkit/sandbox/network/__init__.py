"""The part of Amazon EC2 that the sandbox answers itself: flow logs."""
