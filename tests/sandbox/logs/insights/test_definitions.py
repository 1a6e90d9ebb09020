"""Saved queries: kept, changed, listed and forgotten.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutQueryDefinition.html and its neighbours.
"""

import uuid

import pytest

from labkit.sandbox.logs.insights import definitions
from tests.sandbox.logs.conftest import NOW

TOP = "stats count(*) by srcAddr"


def saved(logs, **params):
    return logs.call("DescribeQueryDefinitions", **params)["queryDefinitions"]


def test_a_saved_query_is_described_with_all_that_it_was_saved_with(logs):
    made = logs.call("PutQueryDefinition", name="top", queryString=TOP, logGroupNames=["g", "not yet made"])
    assert str(uuid.UUID(made["queryDefinitionId"])) == made["queryDefinitionId"]
    assert saved(logs) == [
        {
            **made,
            "name": "top",
            "queryString": TOP,
            "lastModified": NOW,
            "logGroupNames": ["g", "not yet made"],
            "queryLanguage": "CWLI",
        }
    ]


def test_a_saved_query_is_changed_by_its_id_and_loses_what_it_is_not_given_again(logs):
    made = logs.call("PutQueryDefinition", name="top", queryString=TOP, logGroupNames=["g"])
    logs.sandbox.clock.advance(60)
    assert logs.call("PutQueryDefinition", **made, name="newest", queryString="fields @message") == made
    (definition,) = saved(logs)
    assert (definition["name"], definition["queryString"]) == ("newest", "fields @message")
    assert (definition["logGroupNames"], definition["lastModified"]) == ([], NOW + 60_000)


def test_names_may_be_the_same_and_are_in_order(logs):
    for name in ("b", "a", "b", "B"):
        logs.call("PutQueryDefinition", name=name, queryString=TOP)
    assert [definition["name"] for definition in saved(logs)] == ["B", "a", "b", "b"]


@pytest.mark.parametrize(
    ("params", "names"),
    [
        ({"queryDefinitionNamePrefix": "lab/"}, ["lab/rejects", "lab/top"]),
        ({"queryDefinitionNamePrefix": "Lab"}, []),
        ({"queryDefinitionNamePrefix": "top"}, ["top"]),
        ({"queryLanguage": "CWLI"}, ["lab/rejects", "lab/top", "top"]),
        ({"queryLanguage": "SQL"}, []),
        ({"queryLanguage": "PPL"}, []),
    ],
)
def test_saved_queries_are_chosen_by_the_start_of_their_names_and_their_language(logs, params, names):
    for name in ("top", "lab/top", "lab/rejects"):
        logs.call("PutQueryDefinition", name=name, queryString=TOP)
    assert [definition["name"] for definition in saved(logs, **params)] == names


def test_a_saved_query_is_not_compiled(logs):
    logs.call("PutQueryDefinition", name="draft", queryString="fields | nonsense (")
    assert saved(logs)[0]["queryString"] == "fields | nonsense ("


def test_a_saved_query_is_deleted_once(logs):
    made = logs.call("PutQueryDefinition", name="top", queryString=TOP)
    assert logs.call("DeleteQueryDefinition", **made) == {"success": True}
    assert saved(logs) == []
    assert logs.refused("DeleteQueryDefinition", **made)[0] == "ResourceNotFoundException"
    assert logs.refused("PutQueryDefinition", **made, name="n", queryString=TOP)[0] == "ResourceNotFoundException"


@pytest.mark.parametrize("language", ["SQL", "PPL"])
def test_other_languages_are_refused_by_name(logs, language):
    code, message = logs.refused("PutQueryDefinition", name="n", queryString="x", queryLanguage=language)
    assert code == "InvalidParameterException"
    assert message == f"The sandbox has the query language CWLI only, not {language}, see docs/sandbox.md"


def test_parameters_are_refused_rather_than_forgotten(logs):
    code, message = logs.refused("PutQueryDefinition", name="n", queryString="x", parameters=[{"name": "a"}])
    assert (code, "parameters of saved queries" in message) == ("InvalidParameterException", True)
    assert saved(logs) == []


def test_a_region_has_so_many_saved_queries_and_the_last_can_still_be_changed(logs, monkeypatch):
    monkeypatch.setattr(definitions, "MAX_DEFINITIONS", 2)
    logs.call("PutQueryDefinition", name="a", queryString=TOP)
    last = logs.call("PutQueryDefinition", name="b", queryString=TOP)
    assert logs.refused("PutQueryDefinition", name="c", queryString=TOP)[0] == "LimitExceededException"
    assert logs.call("PutQueryDefinition", **last, name="d", queryString=TOP) == last
    assert logs.call("PutQueryDefinition", name="e", queryString=TOP, region="us-east-1")
