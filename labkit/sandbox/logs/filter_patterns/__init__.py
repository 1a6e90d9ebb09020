"""Filter patterns: the language by which FilterLogEvents, metric filters and subscription filters select log events.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html

A pattern compiles to one SQL condition over a column `message`, so that it runs over a whole table at once.

Central types: `tree.Terms`, `tree.Json`, `tree.Space` (the three kinds of patterns), `tree.PatternError` (what is
wrong and where), `pattern.FilterPattern` (a compiled pattern).

Read it in this order: `tree`, `parser`, `regex` (text to tree); `terms`, `json_events`, `space_events` (one module per
kind); `texts`, `sql` (how values become regular expressions and literals); `pattern` (all of it together).

Example:

    compile_pattern("ERROR -WARN").condition
    -> contains(message, 'ERROR') AND NOT contains(message, 'WARN')
    compile_pattern('{ $.code = 4* }').condition
    -> CASE WHEN <message is a JSON object> THEN <$.code is a text or number that starts with 4> ELSE FALSE END
"""

from labkit.sandbox.logs.filter_patterns.pattern import FilterPattern, compile_pattern

__all__ = ["FilterPattern", "compile_pattern"]
