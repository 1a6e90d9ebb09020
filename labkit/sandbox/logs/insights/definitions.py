"""The API operations on saved queries.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutQueryDefinition.html
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.logs.core import LogsCore, invalid, page
from labkit.sandbox.service import Call, operation

if TYPE_CHECKING:
    from labkit.sandbox.sandbox import Sandbox


MAX_DEFINITIONS = 1_000
"""A Region: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html"""


@dataclass
class Definition:
    """A saved query."""

    id: str
    name: str
    text: str
    group_names: tuple[str, ...]
    last_modified: int


class DefinitionOperations(LogsCore):
    """The saved queries of every region."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self._definitions: defaultdict[str, dict[str, Definition]] = defaultdict(dict)

    @operation("PutQueryDefinition")
    def put_query_definition(self, call: Call) -> dict[str, Any]:
        """Save a query, or change a saved one. As on AWS, its text isn't compiled."""
        only_insights_ql(call)
        if call.params.get("parameters"):
            raise invalid("The sandbox has no parameters of saved queries, see docs/sandbox.md")
        definitions = self._definitions[call.region]
        identifier = call.params.get("queryDefinitionId")
        if identifier is not None and identifier not in definitions:
            raise not_found(f"Query definition {identifier} does not exist.")
        if identifier is None and len(definitions) >= MAX_DEFINITIONS:
            raise ServiceError("LimitExceededException", f"There are {MAX_DEFINITIONS} saved queries in this Region.")
        identifier = identifier or self.new_id()
        definitions[identifier] = Definition(
            identifier,
            call.params["name"],
            call.params["queryString"],
            tuple(call.params.get("logGroupNames", ())),
            int(self.sandbox.clock.timestamp() * 1000),
        )
        return {"queryDefinitionId": identifier}

    @operation("DescribeQueryDefinitions")
    def describe_query_definitions(self, call: Call) -> dict[str, Any]:
        """List the saved queries by name; there are none in other query languages."""
        if call.params.get("queryLanguage", "CWLI") != "CWLI":
            return {"queryDefinitions": []}
        prefix = call.params.get("queryDefinitionNamePrefix", "")
        saved = sorted(self._definitions[call.region].values(), key=lambda definition: (definition.name, definition.id))
        found = [
            {
                "queryLanguage": "CWLI",
                "queryDefinitionId": definition.id,
                "name": definition.name,
                "queryString": definition.text,
                "lastModified": definition.last_modified,
                "logGroupNames": list(definition.group_names),
            }
            for definition in saved
            if definition.name.startswith(prefix)
        ]
        definitions, more = page(found, call, key="maxResults", most=1000)
        return {"queryDefinitions": definitions} | more

    @operation("DeleteQueryDefinition")
    def delete_query_definition(self, call: Call) -> dict[str, Any]:
        """Delete a saved query."""
        identifier = call.params["queryDefinitionId"]
        if self._definitions[call.region].pop(identifier, None) is None:
            raise not_found(f"Query definition {identifier} does not exist.")
        return {"success": True}

    def new_id(self) -> str:
        """Return a new id for a query."""
        return str(uuid.UUID(int=self.sandbox.random.getrandbits(128), version=4))


def not_found(message: str) -> ServiceError:
    """Return the error for a name or id that doesn't exist."""
    return ServiceError("ResourceNotFoundException", message)


def only_insights_ql(call: Call) -> None:
    """Raise an error for a query in one of OpenSearch's languages, which the sandbox doesn't support."""
    language = call.params.get("queryLanguage", "CWLI")
    if language != "CWLI":
        raise invalid(f"The sandbox has the query language CWLI only, not {language}, see docs/sandbox.md")
