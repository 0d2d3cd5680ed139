"""The tables that Athena reads: their descriptions from Glue, their files from S3, each with the caller's rights.

https://docs.aws.amazon.com/athena/latest/ug/security-iam-athena.html
https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html

Differences from AWS. A table is JSON lines without partitions, or Parquet with projected partitions of the types `enum`
and, for months, `date`; their keys have Hive's form `column=value`. All keys of a table are listed, also those of
partitions that the query doesn't need.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from local.aws.clients import client
from local.aws.s3_uris import split_uri

if TYPE_CHECKING:
    from local.engines.athena_partitions import Values
    from local.engines.athena_sql import PartitionedTable, Table

_JSON = ("org.openx.data.jsonserde.JsonSerDe", "org.apache.hive.hcatalog.data.JsonSerDe")
_PARQUET = ("org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",)


class Unsuccessful(Exception):
    """A query has no result; the message is the reason for its `state`."""

    def __init__(self, reason: str, state: str = "FAILED") -> None:
        super().__init__(reason)
        self.state = state


@dataclass(frozen=True)
class Caller:
    """The endpoint and the credentials that a query works with."""

    endpoint: str
    region: str
    credentials: Mapping[str, str]

    def client(self, service: str) -> Any:
        """A client with the caller's rights."""
        return client(service, self.endpoint, self.region, **self.credentials)


def read_table(
    caller: Caller, statement: str, default: str, named: tuple[str, str], scanned: Callable[[int], None]
) -> "Table | PartitionedTable":
    """The table `named` (database and name) with the files that the statement needs; `default` is its database.

    `scanned` is called with the size of each file. Raises Unsuccessful if a call is refused.
    """
    from local.engines.athena_partitions import wanted
    from local.engines.athena_sql import PartitionedTable, Table

    described = _described(caller, *named)
    storage = described["StorageDescriptor"]
    columns = {column["Name"].lower(): column["Type"] for column in storage["Columns"]}
    partitions = [column["Name"].lower() for column in described.get("PartitionKeys", ())]
    serde, location = storage.get("SerdeInfo", {}).get("SerializationLibrary"), storage["Location"]
    if serde in _JSON and not partitions:
        return Table(columns, [body for _, body in _files(caller, location, lambda key: True, scanned)])
    if serde not in _PARQUET or not partitions:
        raise Unsuccessful(
            "NOT_SUPPORTED: the local AWS reads JSON lines without partitions and Parquet with projected ones; "
            f"{'.'.join(named)} is neither"
        )
    exists = _projection(named, partitions, described.get("Parameters", {}))
    needs = wanted(statement, default, named, partitions)

    def is_needed(key: str) -> bool:
        values = _values(key, partitions)
        return values is not None and exists(values) and needs(values)

    files = [(_values(key, partitions) or (), body) for key, body in _files(caller, location, is_needed, scanned)]
    return PartitionedTable(columns, partitions, files)


def _described(caller: Caller, database: str, name: str) -> dict[str, Any]:
    glue = caller.client("glue")
    try:
        glue.get_database(Name=database)
        described: dict[str, Any] = glue.get_table(DatabaseName=database, Name=name)["Table"]
    except glue.exceptions.EntityNotFoundException:
        raise Unsuccessful(f"TABLE_NOT_FOUND: Table 'awsdatacatalog.{database}.{name}' does not exist") from None
    except ClientError as error:
        raise Unsuccessful(f"PERMISSION_DENIED: {message(error)}") from None
    return described


def _files(
    caller: Caller, location: str, is_needed: Callable[[str], bool], scanned: Callable[[int], None]
) -> Iterator[tuple[str, bytes]]:
    bucket, prefix = split_uri(location)
    s3 = caller.client("s3")
    try:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for item in page.get("Contents", ()):
                key = item["Key"]
                # https://docs.aws.amazon.com/athena/latest/ug/tables-location-format.html: these are hidden
                if key.rpartition("/")[2].startswith(("_", ".")) or not is_needed(key.removeprefix(prefix)):
                    continue
                scanned(item["Size"])
                yield key.removeprefix(prefix), s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        raise Unsuccessful(f"PERMISSION_DENIED: {location}: {message(error)}") from None


def _values(key: str, partitions: list[str]) -> "Values | None":
    """The values of the partitions in the key below the table's location; None if it isn't in a partition."""
    folders = [folder.partition("=") for folder in key.split("/")[:-1]]
    if [name for name, _, _ in folders] != partitions:
        return None
    return tuple(value for _, _, value in folders)


def _projection(
    named: tuple[str, str], partitions: list[str], parameters: Mapping[str, str]
) -> Callable[["Values"], bool]:
    """Whether a partition is one of those that the table's parameters project; others don't exist for a query."""
    if parameters.get("projection.enabled") != "true":
        raise Unsuccessful(f"NOT_SUPPORTED: the local AWS knows projected partitions only; see {'.'.join(named)}")
    checks = [_check(named, parameters, f"projection.{partition}.") for partition in partitions]
    return lambda values: all(check(value) for check, value in zip(checks, values, strict=True))


def _check(named: tuple[str, str], parameters: Mapping[str, str], prefix: str) -> Callable[[str], bool]:
    kind, form = parameters.get(f"{prefix}type"), parameters.get(f"{prefix}format")
    if kind == "enum":
        values = frozenset(parameters[f"{prefix}values"].split(","))
        return values.__contains__
    if (kind, form) == ("date", "yyyy-MM"):
        first, last = parameters[f"{prefix}range"].split(",")
        last = f"{datetime.now(UTC):%Y-%m}" if last == "NOW" else last
        return lambda value: first <= value <= last
    raise Unsuccessful(f"NOT_SUPPORTED: the local AWS projects neither {kind} nor {form}; see {'.'.join(named)}")


def message(error: ClientError) -> str:
    return f"{error.response['Error'].get('Message')} (Error Code: {error.response['Error'].get('Code')})"
