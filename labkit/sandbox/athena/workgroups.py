"""Work groups: where results go, and what a query may cost."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from labkit.sandbox import paging
from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.service import Call, Service, operation

if TYPE_CHECKING:
    from labkit.sandbox.athena.region import Region

PRIMARY = "primary"
_ENGINE = {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"}
_REMOVALS = {
    "RemoveOutputLocation": "OutputLocation",
    "RemoveEncryptionConfiguration": "EncryptionConfiguration",
    "RemoveExpectedBucketOwner": "ExpectedBucketOwner",
    "RemoveAclConfiguration": "AclConfiguration",
}


def bad_request(message: str, code: str = "INVALID_INPUT") -> ServiceError:
    """Return Athena's error for an invalid request."""
    return ServiceError("InvalidRequestException", message, AthenaErrorCode=code)


@dataclass
class WorkGroup:
    """A work group."""

    name: str
    created: datetime
    description: str = ""
    state: str = "ENABLED"
    configuration: dict[str, Any] = field(default_factory=dict)

    @property
    def results(self) -> dict[str, Any]:
        """Its ResultConfiguration."""
        found: dict[str, Any] = self.configuration.get("ResultConfiguration") or {}
        return found

    @property
    def enforced(self) -> bool:
        """Whether its settings override those of a request."""
        return bool(self.configuration.get("EnforceWorkGroupConfiguration"))

    @property
    def managed(self) -> bool:
        """Whether Athena keeps its results itself: https://docs.aws.amazon.com/athena/latest/ug/managed-results.html"""
        return bool((self.configuration.get("ManagedQueryResultsConfiguration") or {}).get("Enabled"))

    @property
    def cutoff(self) -> int | None:
        """The maximum number of bytes that one of its queries may scan."""
        return self.configuration.get("BytesScannedCutoffPerQuery")

    def summary(self) -> dict[str, Any]:
        """As ListWorkGroups shows it."""
        return {
            "Name": self.name,
            "State": self.state,
            "Description": self.description,
            "CreationTime": self.created,
            "EngineVersion": _ENGINE,
        }

    def detail(self) -> dict[str, Any]:
        """As GetWorkGroup shows it."""
        summary = self.summary()
        del summary["EngineVersion"]
        return {**summary, "Configuration": {**self.configuration, "EngineVersion": _ENGINE}}


def check_managed(configuration: dict[str, Any]) -> None:
    """Refuses a location for results that Athena keeps itself."""
    managed = (configuration.get("ManagedQueryResultsConfiguration") or {}).get("Enabled")
    if managed and (configuration.get("ResultConfiguration") or {}).get("OutputLocation"):
        raise bad_request(
            "ManagedQueryResultsConfiguration and ResultConfiguration.OutputLocation cannot both be set:"
            " a work group with managed query results has no output location"
        )


def new_configuration(given: dict[str, Any]) -> dict[str, Any]:
    """A new work group's configuration, with what AWS fills in."""
    check_managed(given)
    return {
        "ResultConfiguration": {},
        "EnforceWorkGroupConfiguration": True,
        "PublishCloudWatchMetricsEnabled": False,
        "RequesterPaysEnabled": False,
        **{key: value for key, value in given.items() if key != "EngineVersion"},
    }


class WorkGroupOperations(Service):
    """The operations on work groups."""

    if TYPE_CHECKING:

        def region(self, call: Call) -> Region:
            """What the service holds of the call's region."""
            raise NotImplementedError

    def work_group(self, call: Call, name: str | None) -> WorkGroup:
        """Return a work group; raise an error if it doesn't exist."""
        groups = self.region(call).work_groups
        if (name or PRIMARY) not in groups:
            raise bad_request(f"WorkGroup is not found. WorkGroup name: {name}")
        return groups[name or PRIMARY]

    @operation("ListEngineVersions")
    def list_engine_versions(self, call: Call) -> dict[str, Any]:
        """The engine versions that a work group can ask for."""
        chosen = {**_ENGINE, "SelectedEngineVersion": _ENGINE["EffectiveEngineVersion"]}
        return page(call, "EngineVersions", [_ENGINE, chosen], 10)

    @operation("CreateWorkGroup")
    def create_work_group(self, call: Call) -> dict[str, Any]:
        """Makes a work group."""
        name = call.params["Name"]
        groups = self.region(call).work_groups
        if name in groups:
            raise bad_request("WorkGroup is already created")
        groups[name] = WorkGroup(
            name,
            self.sandbox.clock.now(),
            call.params.get("Description", ""),
            configuration=new_configuration(call.params.get("Configuration") or {}),
        )
        self.region(call).tag(call, f"workgroup/{name}", call.params.get("Tags") or [])
        return {}

    @operation("GetWorkGroup")
    def get_work_group(self, call: Call) -> dict[str, Any]:
        """A work group."""
        return {"WorkGroup": self.work_group(call, call.params["WorkGroup"]).detail()}

    @operation("ListWorkGroups")
    def list_work_groups(self, call: Call) -> dict[str, Any]:
        """Every work group."""
        groups = self.region(call).work_groups
        return page(call, "WorkGroups", [groups[name].summary() for name in sorted(groups)], 50)

    @operation("UpdateWorkGroup")
    def update_work_group(self, call: Call) -> dict[str, Any]:
        """Changes a work group."""
        group = self.work_group(call, call.params["WorkGroup"])
        updates = dict(call.params.get("ConfigurationUpdates") or {})
        results = {**group.results, **(updates.pop("ResultConfigurationUpdates", None) or {})}
        for removal, key in _REMOVALS.items():
            if results.pop(removal, False):
                results.pop(key, None)
        updates.pop("EngineVersion", None)
        managed = updates.pop("ManagedQueryResultsConfigurationUpdates", None)
        unlimited = updates.pop("RemoveBytesScannedCutoffPerQuery", False)
        changed = {**group.configuration, **updates, "ResultConfiguration": results}
        if unlimited:
            changed.pop("BytesScannedCutoffPerQuery", None)
        if managed is not None:
            changed["ManagedQueryResultsConfiguration"] = {"Enabled": managed.get("Enabled", group.managed)}
        check_managed(changed)
        group.configuration = changed
        group.description = call.params.get("Description", group.description)
        group.state = call.params.get("State", group.state)
        return {}

    @operation("DeleteWorkGroup")
    def delete_work_group(self, call: Call) -> dict[str, Any]:
        """Deletes a work group, with what it holds if told to."""
        name = call.params["WorkGroup"]
        if name == PRIMARY:
            raise bad_request("WorkGroup primary cannot be deleted")
        self.work_group(call, name)
        region = self.region(call)
        held = [q for q in region.named_queries.values() if q["WorkGroup"] == name]
        ran = [q for q in region.executions.values() if q.work_group == name]
        if (held or ran) and not call.params.get("RecursiveDeleteOption"):
            raise bad_request("WorkGroup is not empty")
        region.forget(call, name)
        return {}


def page(call: Call, member: str, items: list[Any], most: int) -> dict[str, Any]:
    """One page of a list."""
    return paging.page(items, call.params, member, call.params.get("MaxResults") or most, invalid_token)


def invalid_token(given: str) -> ServiceError:
    """Return Athena's error for an invalid token."""
    return bad_request("Invalid NextToken")
