import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.server import LocalAws
from tests.local.aws.stacks import Stack

DATABASE = {
    "Type": "AWS::Glue::Database",
    "Properties": {"CatalogId": {"Ref": "AWS::AccountId"}, "DatabaseInput": {"Name": "clinic"}},
}
COLUMNS = [{"Name": "user_id", "Type": "string"}, {"Name": "traits", "Type": "array<struct<name:string>>"}]


def table(catalog: Any) -> dict[str, Any]:
    storage = {"Columns": COLUMNS, "Location": "s3://b/records/"}
    described = {"Name": "records", "TableType": "EXTERNAL_TABLE", "StorageDescriptor": storage}
    properties = {"CatalogId": catalog, "DatabaseName": "clinic", "TableInput": described}
    return {"Type": "AWS::Glue::Table", "DependsOn": ["Database"], "Properties": properties}


WORKGROUP = {
    "Type": "AWS::Athena::WorkGroup",
    "Properties": {
        "Name": "clinicians",
        "RecursiveDeleteOption": True,
        "WorkGroupConfiguration": {
            "EnforceWorkGroupConfiguration": True,
            "BytesScannedCutoffPerQuery": "10000000",
            "ResultConfiguration": {
                "OutputLocation": "s3://b/queries/",
                "EncryptionConfiguration": {"EncryptionOption": "SSE_KMS", "KmsKey": "arn:aws:kms:us-east-1:1:key/k"},
            },
        },
    },
}
QUERY = {
    "Type": "AWS::Athena::NamedQuery",
    "DependsOn": ["Workgroup"],
    "Properties": {
        "Name": "all",
        "Database": "clinic",
        "WorkGroup": "clinicians",
        "Description": "everything",
        "QueryString": "SELECT * FROM records",
    },
}


def test_a_table_a_workgroup_and_a_query_are_what_the_template_says_and_go_with_the_stack(
    local_aws: LocalAws, create_stack: Any
) -> None:
    resources = {
        "Database": DATABASE,
        "Table": table({"Ref": "AWS::AccountId"}),
        "Workgroup": WORKGROUP,
        "Query": QUERY,
    }
    outputs = create_stack(resources, {"Table": {"Ref": "Table"}, "Query": {"Ref": "Query"}})
    found = local_aws.client("glue").get_table(DatabaseName="clinic", Name=outputs["Table"])["Table"]
    assert found["StorageDescriptor"]["Columns"] == COLUMNS
    assert found["TableType"] == "EXTERNAL_TABLE"
    athena = local_aws.client("athena")
    configuration = athena.get_work_group(WorkGroup="clinicians")["WorkGroup"]["Configuration"]
    assert configuration["BytesScannedCutoffPerQuery"] == 10_000_000
    assert configuration["EnforceWorkGroupConfiguration"] is True
    assert configuration["ResultConfiguration"]["OutputLocation"] == "s3://b/queries/"
    query = athena.get_named_query(NamedQueryId=outputs["Query"])["NamedQuery"]
    assert (query["QueryString"], query["WorkGroup"]) == ("SELECT * FROM records", "clinicians")

    cloudformation = local_aws.client("cloudformation")
    (stack,) = [s for s in cloudformation.describe_stacks()["Stacks"] if "Query" in str(s.get("Outputs"))]
    cloudformation.delete_stack(StackName=stack["StackName"])
    with pytest.raises(ClientError, match="EntityNotFoundException"):
        local_aws.client("glue").get_database(Name="clinic")


def test_a_table_in_another_accounts_catalog_is_refused(local_aws: LocalAws, create_stack: Any) -> None:
    with pytest.raises(ClientError, match="CatalogId is 999999999999, but the local AWS has the catalog of account"):
        create_stack({"Table": table("999999999999") | {"DependsOn": []}})


def test_a_table_and_a_workgroup_are_changed_in_place_and_a_query_is_replaced(
    local_aws: LocalAws, stack: Stack
) -> None:
    glue, athena = local_aws.client("glue"), local_aws.client("athena")

    def resources(number: int) -> dict[str, Any]:
        text = json.dumps([DATABASE, table({"Ref": "AWS::AccountId"}), WORKGROUP, QUERY])
        text = text.replace('"clinic"', '"ward"').replace('"clinicians"', '"nurses"')
        text = text.replace("s3://b/records/", f"s3://b/records-{number}/").replace("10000000", f"{number}0000000")
        text = text.replace("SELECT * FROM records", f"SELECT {number}")
        return dict(zip(("Database", "Table", "Workgroup", "Query"), json.loads(text), strict=True))

    stack.create(resources(1))
    before = stack.physical_ids()
    assert stack.update(resources(2)) == "UPDATE_COMPLETE"
    after = stack.physical_ids()
    assert {name: after[name] for name in ("Database", "Table", "Workgroup")} == {
        name: before[name] for name in ("Database", "Table", "Workgroup")
    }
    found = glue.get_table(DatabaseName="ward", Name="records")["Table"]
    assert found["StorageDescriptor"]["Location"] == "s3://b/records-2/"
    configuration = athena.get_work_group(WorkGroup="nurses")["WorkGroup"]["Configuration"]
    assert configuration["BytesScannedCutoffPerQuery"] == 20000000
    assert athena.list_named_queries(WorkGroup="nurses")["NamedQueryIds"] == [after["Query"]] != [before["Query"]]
    assert athena.get_named_query(NamedQueryId=after["Query"])["NamedQuery"]["QueryString"] == "SELECT 2"
