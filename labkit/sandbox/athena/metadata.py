"""Data catalogs, databases and tables as Athena's API shows them; the data is Glue's."""

from __future__ import annotations

import re
from typing import Any

from labkit.sandbox.athena.catalog import NAME, Catalog, Table
from labkit.sandbox.athena.saved import SavedQueryOperations
from labkit.sandbox.athena.workgroups import bad_request, page
from labkit.sandbox.kernel.errors import ServiceError
from labkit.sandbox.service import Call, operation


def metadata_error(message: str) -> ServiceError:
    """Return Athena's error for a failed look-up in a catalog."""
    return ServiceError("MetadataException", message)


class MetadataOperations(SavedQueryOperations):
    """The operations on catalogs, databases, tables and tags."""

    def catalog(self, call: Call, name: str | None = None) -> Catalog:
        """Return a catalog; raise an error unless it is the only one, Glue's."""
        if name and name.lower() != NAME.lower():
            raise bad_request(f"Data catalog {name} is not found")
        catalog = Catalog(call.account_id, call.region)
        catalog.ensure_default()
        return catalog

    @operation("ListDataCatalogs")
    def list_data_catalogs(self, call: Call) -> dict[str, Any]:
        """The data catalogs."""
        return {"DataCatalogsSummary": [{"CatalogName": NAME, "Type": "GLUE"}]}

    @operation("GetDataCatalog")
    def get_data_catalog(self, call: Call) -> dict[str, Any]:
        """A data catalog."""
        self.catalog(call, call.params["Name"])
        return {"DataCatalog": {"Name": NAME, "Type": "GLUE", "Parameters": {"catalog-id": call.account_id}}}

    @operation("ListDatabases")
    def list_databases(self, call: Call) -> dict[str, Any]:
        """The databases of a catalog."""
        found = _only(call, [_database(each) for each in self.catalog(call, call.params["CatalogName"]).databases()])
        return page(call, "DatabaseList", found, 50)

    @operation("GetDatabase")
    def get_database(self, call: Call) -> dict[str, Any]:
        """A database."""
        catalog = self.catalog(call, call.params["CatalogName"])
        name = call.params["DatabaseName"].lower()
        found = next((each for each in catalog.databases() if each["Name"] == name), None)
        if found is None:
            raise metadata_error(f"Database {name} not found.")
        return {"Database": _database(found)}

    @operation("ListTableMetadata")
    def list_table_metadata(self, call: Call) -> dict[str, Any]:
        """The tables of a database, or those whose names an expression fits."""
        catalog = self.catalog(call, call.params["CatalogName"])
        database = call.params["DatabaseName"].lower()
        if not catalog.has_database(database):
            raise metadata_error(f"Database {database} not found.")
        expression = call.params.get("Expression")
        try:
            pattern = re.compile(expression or ".*", re.IGNORECASE)
        except re.error:
            raise bad_request(f"Invalid expression: {expression}") from None
        found = _only(call, [_table(table) for table in catalog.tables(database) if pattern.fullmatch(table.name)])
        return page(call, "TableMetadataList", found, 50)

    @operation("GetTableMetadata")
    def get_table_metadata(self, call: Call) -> dict[str, Any]:
        """A table."""
        catalog = self.catalog(call, call.params["CatalogName"])
        database, name = call.params["DatabaseName"].lower(), call.params["TableName"].lower()
        table = catalog.table(database, name)
        if table is None:
            raise metadata_error(f"Table {name} not found in database {database}.")
        return {"TableMetadata": _table(table)}

    # --- tags

    @operation("TagResource")
    def tag_resource(self, call: Call) -> dict[str, Any]:
        """Tags a work group or data catalog."""
        if not all("Key" in tag for tag in call.params["Tags"]):
            raise bad_request("Tag keys cannot be null or empty")
        tags = {tag["Key"]: tag.get("Value", "") for tag in call.params["Tags"]}
        self._tagged(call).update(tags)
        return {}

    def _tagged(self, call: Call) -> dict[str, str]:
        """The tags of a resource that has to be there."""
        arn = call.params["ResourceARN"]
        kind, _, name = arn.rpartition(":")[2].partition("/")
        held = {"workgroup": tuple(self.region(call).work_groups), "datacatalog": (NAME,)}
        if name not in held.get(kind, ()):
            raise ServiceError("ResourceNotFoundException", f"Resource {arn} is not found", ResourceName=arn)
        return self.region(call).tags.setdefault(arn, {})

    @operation("UntagResource")
    def untag_resource(self, call: Call) -> dict[str, Any]:
        """Remove tags."""
        held = self._tagged(call)
        for key in call.params["TagKeys"]:
            held.pop(key, None)
        return {}

    @operation("ListTagsForResource")
    def list_tags_for_resource(self, call: Call) -> dict[str, Any]:
        """The tags of a resource."""
        held = self._tagged(call)
        return page(call, "Tags", [{"Key": key, "Value": value} for key, value in sorted(held.items())], 75)


_ATTRIBUTES = {"NAME": "Name", "TABLE_TYPE": "TableType"}


def _only(call: Call, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The members that AttributesToGet asks for; all where it asks for none."""
    asked = call.params.get("AttributesToGet")
    if not asked:
        return found
    if "NAME" not in asked:
        raise bad_request("AttributesToGet must include NAME")
    return [{_ATTRIBUTES[name]: each[_ATTRIBUTES[name]] for name in asked} for each in found]


def _database(entry: dict[str, Any]) -> dict[str, Any]:
    found = {"Name": entry["Name"], "Parameters": entry.get("Parameters") or {}}
    return {**found, "Description": entry["Description"]} if entry.get("Description") else found


def _table(table: Table) -> dict[str, Any]:
    parameters = {
        "inputformat": str(table.storage.get("InputFormat") or ""),
        "location": table.location,
        "outputformat": str(table.storage.get("OutputFormat") or ""),
        "serde.serialization.lib": table.serde,
        **{f"serde.param.{key}": value for key, value in table.serde_parameters.items()},
        **table.parameters,
    }
    return {
        "Name": table.name,
        "CreateTime": table.entry["CreateTime"],
        "TableType": table.entry.get("TableType", "EXTERNAL_TABLE"),
        "Columns": [_column(each) for each in table.storage.get("Columns") or []],
        "PartitionKeys": [_column(each) for each in table.entry.get("PartitionKeys") or []],
        "Parameters": parameters,
    }


def _column(entry: dict[str, Any]) -> dict[str, Any]:
    found = {"Name": entry["Name"], "Type": entry.get("Type", "string")}
    return {**found, "Comment": entry["Comment"]} if entry.get("Comment") else found
