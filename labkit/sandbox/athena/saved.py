"""Named queries and prepared statements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from labkit.sandbox.athena.workgroups import PRIMARY, WorkGroupOperations, bad_request, page
from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.service import Call, operation

if TYPE_CHECKING:
    from labkit.sandbox.sandbox import Sandbox


def new_id(sandbox: Sandbox) -> str:
    """Return a new id in Athena's form."""
    return str(UUID(int=sandbox.random.getrandbits(128), version=4))


class SavedQueryOperations(WorkGroupOperations):
    """The API operations on named queries and prepared statements."""

    @operation("CreateNamedQuery")
    def create_named_query(self, call: Call) -> dict[str, Any]:
        """Save a query under a name."""
        region = self.region(call)
        if held := region.made_before(call):
            return {"NamedQueryId": held}
        group = self.work_group(call, call.params.get("WorkGroup"))
        query = {
            "NamedQueryId": new_id(self.sandbox),
            "Name": call.params["Name"],
            "Description": call.params.get("Description", ""),
            "Database": call.params["Database"],
            "QueryString": call.params["QueryString"],
            "WorkGroup": group.name,
        }
        region.named_queries[query["NamedQueryId"]] = query
        region.remember(call, query["NamedQueryId"])
        return {"NamedQueryId": query["NamedQueryId"]}

    @operation("GetNamedQuery")
    def get_named_query(self, call: Call) -> dict[str, Any]:
        """A named query."""
        return {"NamedQuery": self._named_query(call)}

    def _named_query(self, call: Call) -> dict[str, Any]:
        found = self.region(call).named_queries.get(call.params["NamedQueryId"])
        if found is None:
            raise bad_request(f"NamedQuery {call.params['NamedQueryId']} was not found")
        return found

    @operation("BatchGetNamedQuery")
    def batch_get_named_query(self, call: Call) -> dict[str, Any]:
        """Several named queries."""
        held, wanted = self.region(call).named_queries, call.params["NamedQueryIds"]
        missing = [
            {"NamedQueryId": each, "ErrorCode": "INVALID_INPUT", "ErrorMessage": f"NamedQuery {each} was not found"}
            for each in wanted
            if each not in held
        ]
        return {"NamedQueries": [held[each] for each in wanted if each in held], "UnprocessedNamedQueryIds": missing}

    @operation("ListNamedQueries")
    def list_named_queries(self, call: Call) -> dict[str, Any]:
        """The ids of a work group's named queries."""
        group = self.work_group(call, call.params.get("WorkGroup"))
        ids = [
            each["NamedQueryId"] for each in self.region(call).named_queries.values() if each["WorkGroup"] == group.name
        ]
        return page(call, "NamedQueryIds", ids, 50)

    @operation("UpdateNamedQuery")
    def update_named_query(self, call: Call) -> dict[str, Any]:
        """Changes a named query."""
        query = self._named_query(call)
        query.update({key: call.params[key] for key in ("Name", "Description", "QueryString") if key in call.params})
        return {}

    @operation("DeleteNamedQuery")
    def delete_named_query(self, call: Call) -> dict[str, Any]:
        """Deletes a named query."""
        self._named_query(call)
        del self.region(call).named_queries[call.params["NamedQueryId"]]
        return {}

    # --- prepared statements

    @operation("CreatePreparedStatement")
    def create_prepared_statement(self, call: Call) -> dict[str, Any]:
        """Store a statement with `?` for its parameters."""
        key = self._key(call)
        if key in self.region(call).prepared:
            raise bad_request("Prepared statement already exists")
        self.region(call).prepared[key] = self._statement(call)
        return {}

    def _key(self, call: Call) -> tuple[str, str]:
        group = self.work_group(call, call.params.get("WorkGroup") or PRIMARY)
        return group.name, call.params["StatementName"]

    def _statement(self, call: Call) -> dict[str, Any]:
        return {
            "StatementName": call.params["StatementName"],
            "QueryStatement": call.params["QueryStatement"],
            "WorkGroupName": call.params["WorkGroup"],
            "Description": call.params.get("Description", ""),
            "LastModifiedTime": self.sandbox.clock.now(),
        }

    def _prepared(self, call: Call) -> dict[str, Any]:
        found = self.region(call).prepared.get(self._key(call))
        if found is None:
            name = call.params["StatementName"]
            raise ServiceError(
                "ResourceNotFoundException", f"PreparedStatement {name} was not found", ResourceName=name
            )
        return found

    @operation("GetPreparedStatement")
    def get_prepared_statement(self, call: Call) -> dict[str, Any]:
        """A prepared statement."""
        return {"PreparedStatement": self._prepared(call)}

    @operation("BatchGetPreparedStatement")
    def batch_get_prepared_statement(self, call: Call) -> dict[str, Any]:
        """Several prepared statements."""
        group = self.work_group(call, call.params["WorkGroup"])
        held = self.region(call).prepared
        names = call.params["PreparedStatementNames"]
        missing = [
            {"StatementName": name, "ErrorCode": "NOT_FOUND", "ErrorMessage": f"PreparedStatement {name} was not found"}
            for name in names
            if (group.name, name) not in held
        ]
        found = [held[group.name, name] for name in names if (group.name, name) in held]
        return {"PreparedStatements": found, "UnprocessedPreparedStatementNames": missing}

    @operation("ListPreparedStatements")
    def list_prepared_statements(self, call: Call) -> dict[str, Any]:
        """The prepared statements of a work group."""
        group = self.work_group(call, call.params["WorkGroup"])
        found = [
            {key: each[key] for key in ("StatementName", "LastModifiedTime")}
            for (owner, _), each in sorted(self.region(call).prepared.items())
            if owner == group.name
        ]
        return page(call, "PreparedStatements", found, 50)

    @operation("UpdatePreparedStatement")
    def update_prepared_statement(self, call: Call) -> dict[str, Any]:
        """Replaces a prepared statement."""
        self._prepared(call).update(self._statement(call))
        return {}

    @operation("DeletePreparedStatement")
    def delete_prepared_statement(self, call: Call) -> dict[str, Any]:
        """Delete a prepared statement."""
        self._prepared(call)
        del self.region(call).prepared[self._key(call)]
        return {}
