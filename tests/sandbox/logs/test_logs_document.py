"""docs/sandbox/logs.md names every operation that is there, and no other."""

import re
from pathlib import Path

from labkit.sandbox.logs.insights.service import InsightsOperations
from labkit.sandbox.logs.service import LogsService

DOCUMENT = (Path(__file__).parents[3] / "docs" / "sandbox" / "logs.md").read_text()


def test_the_table_of_operations_is_the_code() -> None:
    table = DOCUMENT.split("## Operations")[1].split("A CloudFormation stack")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    listed = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert listed == set(LogsService.handlers) - set(InsightsOperations.handlers)


def test_every_quoted_pattern_compiles() -> None:
    from labkit.sandbox.logs.filter_patterns import compile_pattern

    table = DOCUMENT.split("## Filter patterns")[1].split("\n- ")[0]
    examples = [line.split(" | ")[1] for line in table.splitlines() if line.startswith("| ") and "`" in line]
    patterns = [
        example.replace("\\|", "|")
        for cell in examples
        for example in re.findall(r"`([^`]+)`", cell)
        if not re.match(r"\$|IS ", example)
    ]
    assert len(patterns) > 12
    for pattern in patterns:
        assert compile_pattern(pattern).condition
