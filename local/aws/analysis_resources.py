"""CloudFormation's Glue databases and tables, and Athena workgroups and saved queries, which moto lacks.

Each is made by the API call that CloudFormation would make, so that Glue and Athena (`local.aws.athena_queries`) have
it.
"""

from contextlib import suppress
from typing import Any

from moto.athena.models import AthenaBackend, athena_backends

from local.aws.credentials import ACCOUNT_ID
from local.aws.resource_types import AddedResource, Properties, ResourceType, operator_client, put_tags


def create_database(name: str, properties: Properties) -> AddedResource:
    """AWS::Glue::Database. Raises ValueError for a catalog that isn't this account's."""
    _check_catalog(properties)
    glue = operator_client("glue")
    described = properties["DatabaseInput"]
    glue.create_database(CatalogId=ACCOUNT_ID, DatabaseInput=described)
    name = described["Name"]
    return AddedResource(name, delete_resource=lambda: glue.delete_database(CatalogId=ACCOUNT_ID, Name=name))


def update_database(database: AddedResource, properties: Properties, previous: Properties) -> None:
    operator_client("glue").update_database(
        CatalogId=ACCOUNT_ID, Name=database.physical_resource_id, DatabaseInput=properties["DatabaseInput"]
    )


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


def update_table(table: AddedResource, properties: Properties, previous: Properties) -> None:
    operator_client("glue").update_table(
        CatalogId=ACCOUNT_ID, DatabaseName=properties["DatabaseName"], TableInput=properties["TableInput"]
    )


def create_workgroup(name: str, properties: Properties) -> AddedResource:
    """AWS::Athena::WorkGroup"""
    athena = operator_client("athena")
    athena.create_work_group(
        Name=name,
        Description=properties.get("Description", ""),
        Configuration=_configuration(properties),
        Tags=properties.get("Tags", []),
    )
    workgroup = AddedResource(name)

    def delete() -> None:
        recursive = bool(workgroup.deployed_properties.get("RecursiveDeleteOption", False))
        athena.delete_work_group(WorkGroup=name, RecursiveDeleteOption=recursive)

    workgroup.delete_resource = delete
    return workgroup


def update_workgroup(workgroup: AddedResource, properties: Properties, previous: Properties) -> None:
    """Change the settings, for which moto has no call."""
    found = _backend().work_groups[workgroup.physical_resource_id]
    found.description = properties.get("Description", "")
    # The members that moto has filled in stay.
    filled = {name: value for name, value in found.configuration.items() if name not in _configuration(previous)}
    found.configuration = {**filled, **_configuration(properties)}
    athena = operator_client("athena")
    put_tags(
        properties,
        previous,
        lambda tags: athena.tag_resource(ResourceARN=found.arn, Tags=tags),
        lambda keys: athena.untag_resource(ResourceARN=found.arn, TagKeys=keys),
    )


def _configuration(properties: Properties) -> dict[str, Any]:
    return _typed(properties.get("WorkGroupConfiguration", {}))


def _backend() -> AthenaBackend:
    return athena_backends[ACCOUNT_ID]["us-east-1"]


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
    # moto has no call that deletes it.
    return AddedResource(query_id, {"NamedQueryId": query_id}, lambda: _backend().named_queries.pop(query_id, None))


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
    "AWS::Glue::Database": ResourceType(
        frozenset({"CatalogId", "DatabaseInput"}),
        create=create_database,
        replaced_by=frozenset({"CatalogId", "DatabaseInput.Name"}),
        update=update_database,
    ),
    "AWS::Glue::Table": ResourceType(
        frozenset({"CatalogId", "DatabaseName", "TableInput"}),
        create=create_table,
        replaced_by=frozenset({"CatalogId", "DatabaseName", "TableInput.Name"}),
        update=update_table,
    ),
    "AWS::Athena::WorkGroup": ResourceType(
        frozenset({"Description", "Name", "RecursiveDeleteOption", "Tags", "WorkGroupConfiguration"}),
        create=create_workgroup,
        name_property="Name",
        replaced_by=frozenset({"Name"}),
        update=update_workgroup,
    ),
    "AWS::Athena::NamedQuery": ResourceType(
        frozenset({"Database", "Description", "Name", "QueryString", "WorkGroup"}),
        create=create_named_query,
        attributes=("NamedQueryId",),
        replaced_by=frozenset({"Database", "Description", "Name", "QueryString", "WorkGroup"}),
    ),
}
