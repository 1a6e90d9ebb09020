"""Filter patterns: the language that FilterLogEvents, metric filters and subscription filters choose log events with.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
"""

from labkit.sandbox.logs.filter_patterns.pattern import FilterPattern, compile_pattern

__all__ = ["FilterPattern", "compile_pattern"]
