"""CloudFormation's Glue databases and tables, and Athena workgroups and saved queries, which moto lacks.

Each is made by the API call that CloudFormation would make, so that Glue and Athena (`local.aws.athena_queries`) have
it.
"""

from contextlib import suppress
from typing import Any

from local.aws.credentials import ACCOUNT_ID
from local.aws.resource_types import AddedResource, Properties, ResourceType, operator_client


def create_database(name: str, properties: Properties) -> AddedResource:
    """AWS::Glue::Database. Raises ValueError for a catalog that isn't this account's."""
    _check_catalog(properties)
    glue = operator_client("glue")
    described = properties["DatabaseInput"]
    glue.create_database(CatalogId=ACCOUNT_ID, DatabaseInput=described)
    name = described["Name"]
    return AddedResource(name, delete_resource=lambda: glue.delete_database(CatalogId=ACCOUNT_ID, Name=name))


def create_table(name: str, properties: Properties) -> AddedResource:
    """AWS::Glue::Table. Raises ValueError for a catalog that isn't this account's."""
    _check_catalog(properties)
    glue = operator_client("glue")
    database, described = properties["DatabaseName"], properties["TableInput"]
    glue.create_table(CatalogId=ACCOUNT_ID, DatabaseName=database, TableInput=described)
    name = described["Name"]

    def delete() -> None:
        # Glue deletes a database with its tables.
        with suppress(glue.exceptions.EntityNotFoundException):
            glue.delete_table(CatalogId=ACCOUNT_ID, DatabaseName=database, Name=name)

    return AddedResource(name, delete_resource=delete)


def create_workgroup(name: str, properties: Properties) -> AddedResource:
    """AWS::Athena::WorkGroup"""
    athena = operator_client("athena")
    configuration = properties.get("WorkGroupConfiguration", {})
    athena.create_work_group(
        Name=name,
        Description=properties.get("Description", ""),
        Configuration=_typed(configuration),
        Tags=properties.get("Tags", []),
    )
    recursive = bool(properties.get("RecursiveDeleteOption", False))
    return AddedResource(
        name, delete_resource=lambda: athena.delete_work_group(WorkGroup=name, RecursiveDeleteOption=recursive)
    )


def create_named_query(name: str, properties: Properties) -> AddedResource:
    """AWS::Athena::NamedQuery. Ref and its one attribute are the id that the service gives it."""
    athena = operator_client("athena")
    query_id = athena.create_named_query(
        Name=properties.get("Name", name),
        Database=properties["Database"],
        QueryString=properties["QueryString"],
        Description=properties.get("Description", ""),
        WorkGroup=properties.get("WorkGroup", "primary"),
    )["NamedQueryId"]
    return AddedResource(query_id, {"NamedQueryId": query_id})


def _check_catalog(properties: Properties) -> None:
    catalog = properties["CatalogId"]
    if catalog != ACCOUNT_ID:
        raise ValueError(f"CatalogId is {catalog}, but the local AWS has the catalog of account {ACCOUNT_ID} only")


def _typed(configuration: Any) -> dict[str, Any]:
    """Numbers as the API takes them; CloudFormation also takes strings."""
    typed = dict(configuration)
    if (limit := typed.get("BytesScannedCutoffPerQuery")) is not None:
        typed["BytesScannedCutoffPerQuery"] = int(limit)
    return typed


TYPES = {
    "AWS::Glue::Database": ResourceType(frozenset({"CatalogId", "DatabaseInput"}), create=create_database),
    "AWS::Glue::Table": ResourceType(frozenset({"CatalogId", "DatabaseName", "TableInput"}), create=create_table),
    "AWS::Athena::WorkGroup": ResourceType(
        frozenset({"Description", "Name", "RecursiveDeleteOption", "Tags", "WorkGroupConfiguration"}),
        create=create_workgroup,
        name_property="Name",
    ),
    "AWS::Athena::NamedQuery": ResourceType(
        frozenset({"Database", "Description", "Name", "QueryString", "WorkGroup"}),
        create=create_named_query,
        attributes=("NamedQueryId",),
    ),
}
