"""The page about Insights names everything that the code knows, and claims nothing more."""

import re
from pathlib import Path

from labkit.sandbox.logs.insights import tree
from labkit.sandbox.logs.insights.aggregates import AGGREGATES
from labkit.sandbox.logs.insights.calls import CALLS
from labkit.sandbox.logs.insights.commands import COMMANDS
from labkit.sandbox.logs.insights.functions import FUNCTIONS
from labkit.sandbox.logs.insights.parser import REFUSED_COMMANDS
from labkit.sandbox.logs.insights.service import InsightsOperations

PAGE = (Path(__file__).parents[4] / "docs" / "sandbox" / "insights.md").read_text(encoding="utf-8")
SECTIONS = {part.split("\n", 1)[0]: part for part in PAGE.split("\n## ")[1:]}


def named(section):
    """The words in backquotes of a section, without what follows a first word."""
    return {re.split(r"[ (.\[]", code)[0].lower() for code in re.findall(r"`([^`]+)`", SECTIONS[section])}


def test_every_command_is_on_the_page():
    commands = {command.name.lower() for command in COMMANDS} | set(REFUSED_COMMANDS)
    assert commands <= named("Commands")


def test_every_function_is_on_the_page_and_no_other():
    known = {*FUNCTIONS, *CALLS, *AGGREGATES, "topk"}
    operators = {"+", "=", "and", "like", "=~", "in", "not", ""}
    assert known == named("Functions") - operators


def test_every_operation_is_on_the_page():
    operations = {
        member.operation_name.lower()
        for member in vars(InsightsOperations).values()
        if hasattr(member, "operation_name")
    }
    assert operations <= named("Operations")


def test_every_kind_of_command_can_be_run():
    assert set(COMMANDS) == set(tree.Command.__subclasses__())
