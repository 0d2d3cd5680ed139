"""Queries from start to result, with the rights that the guides name and with one less."""

import json
import re
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.athena.models import athena_backends

from local.server import LocalAws
from tests.local.aws.in_process import eventually

HERE = "us-east-1:123456789012"
LINES = '{"user_id": "p-1", "text": "a \\"b\\""}\n{"user_id": "p-2", "text": ""}\n{"user_id": "p-3"}\n'
ALL = "SELECT * FROM records ORDER BY user_id"


class Clinic:
    """A table of JSON lines and a workgroup, in a bucket under a key."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws, self.s3 = aws, aws.client("s3")
        self.bucket = f"clinic-{uuid.uuid4().hex[:8]}"
        self.name = self.bucket.replace("-", "_")
        self.key: str = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
        self.s3.create_bucket(Bucket=self.bucket)
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": self.key}}
        self.s3.put_bucket_encryption(
            Bucket=self.bucket, ServerSideEncryptionConfiguration={"Rules": [{**rule, "BucketKeyEnabled": True}]}
        )
        self.put("records/o1.jsonl", LINES)
        glue = aws.client("glue")
        glue.create_database(DatabaseInput={"Name": self.name})
        self.table("records", "org.openx.data.jsonserde.JsonSerDe")
        self.workgroup(self.name)

    def put(self, key: str, text: str) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=text.encode())

    def table(self, name: str, serde: str) -> None:
        storage = {
            "Columns": [{"Name": "user_id", "Type": "string"}, {"Name": "text", "Type": "string"}],
            "Location": f"s3://{self.bucket}/records/",
            "SerdeInfo": {"SerializationLibrary": serde},
        }
        described: Any = {"Name": name, "StorageDescriptor": storage}
        self.aws.client("glue").create_table(DatabaseName=self.name, TableInput=described)

    def workgroup(self, name: str, **settings: Any) -> None:
        encryption = {"EncryptionOption": "SSE_KMS", "KmsKey": self.key}
        result = {"OutputLocation": f"s3://{self.bucket}/queries/", "EncryptionConfiguration": encryption}
        configuration: Any = {"EnforceWorkGroupConfiguration": True, "ResultConfiguration": result, **settings}
        self.aws.client("athena").create_work_group(Name=name, Configuration=configuration)

    def statements(self) -> dict[str, dict[str, Any]]:
        """Purpose -> the rights that a role needs for a query."""
        bucket, glue = f"arn:aws:s3:::{self.bucket}", f"arn:aws:glue:{HERE}"
        prefix = {"StringLike": {"s3:prefix": ["records/*", "queries/*"]}}
        via_s3 = {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}
        names = ("StartQueryExecution", "GetQueryExecution", "GetQueryResults")
        database, table = f"{glue}:database/{self.name}", f"{glue}:table/{self.name}/records"
        needed = {
            "athena": ([f"athena:{name}" for name in names], f"arn:aws:athena:{HERE}:workgroup/{self.name}", None),
            "database": (["glue:GetDatabase"], [f"{glue}:catalog", database], None),
            "table": (["glue:GetTable"], [f"{glue}:catalog", database, table], None),
            "location": (["s3:GetBucketLocation"], bucket, None),
            "list": (["s3:ListBucket"], bucket, prefix),
            "read": (["s3:GetObject"], [f"{bucket}/records/*", f"{bucket}/queries/*"], None),
            "write": (["s3:PutObject"], f"{bucket}/queries/*", None),
            "decrypt": (["kms:Decrypt"], self.key, via_s3),
            "encrypt": (["kms:GenerateDataKey"], self.key, via_s3),
        }
        return {
            purpose: {"Effect": "Allow", "Action": actions, "Resource": resource, "Condition": condition or {}}
            for purpose, (actions, resource, condition) in needed.items()
        }

    def ask(self, client: Any, query: str = ALL, **request: Any) -> dict[str, Any]:
        """The description of a query that has ended."""
        context = {"Database": self.name}
        started = client.start_query_execution(
            **{"QueryString": query, "WorkGroup": self.name, "QueryExecutionContext": context, **request}
        )
        described: dict[str, Any] = {}

        def has_ended() -> bool:
            described.update(client.get_query_execution(QueryExecutionId=started["QueryExecutionId"])["QueryExecution"])
            return described["Status"]["State"] not in ("QUEUED", "RUNNING")

        eventually(has_ended)
        return described


@pytest.fixture(scope="module")
def clinic(local_aws: LocalAws) -> Clinic:
    return Clinic(local_aws)


@pytest.fixture
def athena(local_aws: LocalAws) -> Any:
    return local_aws.client("athena")


def test_a_query_is_answered_with_the_rights_that_the_guides_name(clinic: Clinic, make_role: Any) -> None:
    client = make_role(*clinic.statements().values()).client("athena")
    asked = clinic.ask(client)
    assert asked["Status"]["State"] == "SUCCEEDED", asked["Status"]
    results = client.get_query_results(QueryExecutionId=asked["QueryExecutionId"])["ResultSet"]
    assert [[cell.get("VarCharValue") for cell in row["Data"]] for row in results["Rows"]] == [
        ["user_id", "text"],
        ["p-1", 'a "b"'],
        ["p-2", ""],
        ["p-3", None],
    ]
    columns = [(column["Name"], column["Type"]) for column in results["ResultSetMetadata"]["ColumnInfo"]]
    assert columns == [("user_id", "varchar"), ("text", "varchar")]
    assert asked["Statistics"]["DataScannedInBytes"] == len(LINES)


def test_the_result_is_a_csv_file_in_the_workgroups_place_under_its_key(clinic: Clinic, athena: Any) -> None:
    asked = clinic.ask(athena)
    location = f"s3://{clinic.bucket}/queries/{asked['QueryExecutionId']}.csv"
    assert asked["ResultConfiguration"]["OutputLocation"] == location
    stored = clinic.s3.get_object(Bucket=clinic.bucket, Key=f"queries/{asked['QueryExecutionId']}.csv")
    assert stored["Body"].read().decode() == '"user_id","text"\n"p-1","a ""b"""\n"p-2",""\n"p-3",\n'
    assert (stored["ServerSideEncryption"], stored["SSEKMSKeyId"]) == ("aws:kms", clinic.key)


REASONS = {
    "database": "PERMISSION_DENIED: .*glue:GetDatabase",
    "table": "PERMISSION_DENIED: .*glue:GetTable",
    "list": "PERMISSION_DENIED: s3://.*/records/: .*s3:ListBucket",
    "read": "PERMISSION_DENIED: s3://.*/records/: .*s3:GetObject",
    "decrypt": "PERMISSION_DENIED: s3://.*/records/: .*kms:Decrypt",
    "write": "Access denied when writing output to url: s3://.*s3:PutObject",
    "encrypt": "Access denied when writing output to url: s3://.*kms:GenerateDataKey",
}


@pytest.mark.parametrize("missing", REASONS)
def test_without_a_right_a_query_fails_and_says_which(clinic: Clinic, make_role: Any, missing: str) -> None:
    rights = [statement for purpose, statement in clinic.statements().items() if purpose != missing]
    status = clinic.ask(make_role(*rights).client("athena"))["Status"]
    assert status["State"] == "FAILED"
    assert re.match(REASONS[missing], status["StateChangeReason"]), status["StateChangeReason"]


def test_a_query_of_another_workgroup_is_not_ones_own(clinic: Clinic, make_role: Any, athena: Any) -> None:
    clinic.workgroup("others")
    query = clinic.ask(athena, WorkGroup="others")["QueryExecutionId"]
    client = make_role(*clinic.statements().values()).client("athena")
    for call in ("get_query_execution", "get_query_results"):
        with pytest.raises(ClientError, match="workgroup/others"):
            getattr(client, call)(QueryExecutionId=query)
    with pytest.raises(ClientError, match="workgroup/others"):
        client.start_query_execution(QueryString="SELECT 1", WorkGroup="others")


def test_reading_a_result_takes_the_right_to_read_its_file(clinic: Clinic, make_role: Any, athena: Any) -> None:
    asked = clinic.ask(athena)["QueryExecutionId"]
    client = make_role(clinic.statements()["athena"]).client("athena")
    with pytest.raises(client.exceptions.InvalidRequestException, match="s3:GetObject"):
        client.get_query_results(QueryExecutionId=asked)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("SELECT * FROM nothing", "TABLE_NOT_FOUND: Table 'awsdatacatalog.clinic_[0-9a-f]+.nothing' does not exist"),
        ("SELECT nothing FROM records", "SYNTAX_ERROR: .*nothing"),
        ("DROP TABLE records", "NOT_SUPPORTED"),
        ("SELECT * FROM other", "NOT_SUPPORTED: the local AWS reads JSON lines without partitions and Parquet"),
    ],
)
def test_what_cannot_be_answered_fails_with_its_reason(clinic: Clinic, athena: Any, query: str, reason: str) -> None:
    if query.endswith("other"):
        clinic.table("other", "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe")
    asked = clinic.ask(athena, query)
    assert asked["Status"]["State"] == "FAILED"
    assert re.match(reason, asked["Status"]["StateChangeReason"])
    with pytest.raises(athena.exceptions.InvalidRequestException, match="Final query state: FAILED"):
        athena.get_query_results(QueryExecutionId=asked["QueryExecutionId"])


def test_hidden_files_are_not_read(clinic: Clinic, athena: Any) -> None:
    for name in ("_manifest", ".part"):
        clinic.put(f"records/{name}", "no JSON")
    assert clinic.ask(athena)["Status"]["State"] == "SUCCEEDED"


def test_a_query_that_reads_too_much_is_cancelled(clinic: Clinic, athena: Any) -> None:
    clinic.workgroup("limited", BytesScannedCutoffPerQuery=10_000_000)
    moto_takes_no_less = {"BytesScannedCutoffPerQuery": len(LINES) - 1}
    workgroup(clinic, "limited").configuration.update(moto_takes_no_less)
    status = clinic.ask(athena, WorkGroup="limited")["Status"]
    assert (status["State"], "Bytes scanned limit" in status["StateChangeReason"]) == ("CANCELLED", True)
    workgroup(clinic, "limited").configuration.update({"BytesScannedCutoffPerQuery": len(LINES)})
    assert clinic.ask(athena, WorkGroup="limited")["Status"]["State"] == "SUCCEEDED"


def workgroup(clinic: Clinic, name: str) -> Any:
    return athena_backends["123456789012"]["us-east-1"].work_groups[name]


def test_an_error_of_the_engine_is_told_without_what_it_read(
    clinic: Clinic, athena: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> Any:
        raise RuntimeError("what was said")

    monkeypatch.setattr("local.engines.athena_sql.run", fail)
    status = clinic.ask(athena)["Status"]
    assert (status["State"], status["StateChangeReason"]) == ("FAILED", "GENERIC_INTERNAL_ERROR: RuntimeError")
    assert "said" not in caplog.text and "RuntimeError" in caplog.text
    assert json.dumps(status, default=str).count("said") == 0
