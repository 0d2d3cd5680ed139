"""The Glue tables over the clinical bucket: the records as they are, and the analysis tables by month."""

from collections.abc import Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, NamedTuple, cast, get_args, get_origin, get_type_hints

from aws_cdk import aws_glue as glue
from botocore.model import ServiceModel, StringShape, StructureShape

from infra.saved_queries import FINDINGS, UTTERANCES
from lambdas.shared import layout
from lambdas.shared.analysis_rows import FindingRow, UtteranceRow
from lambdas.shared.entity_record import UNMAPPED_ATTRIBUTE, EntityRecord
from lambdas.shared.sdk_data import loader

RECORDS = "entity_records"
# The stack makes its buckets, and this application is not older: no recording was uploaded earlier.
FIRST_MONTH = "2026-01"
# Python type of a row's member -> Athena's type.
_PLAIN = {str: "string", bool: "boolean", int: "int", float: "double"}
_MODEL = ServiceModel(loader.load_service_model("comprehendmedical", "service-2"), "comprehendmedical")
_ENTITY = cast(StructureShape, _MODEL.shape_for("Entity"))
# A category that the SDK of this version doesn't know has its files, but no query sees them until the SDK is newer.
CATEGORIES = (*cast(StringShape, _ENTITY.members["Category"]).enum, UNMAPPED_ATTRIBUTE)


def _hive_type(kind: Any) -> str:
    """The Hive type of a column; a member that may be None is a nullable column."""
    if kind in _PLAIN:
        return _PLAIN[kind]
    arguments = [argument for argument in get_args(kind) if argument is not NoneType]
    if get_origin(kind) is UnionType and len(arguments) == 1:
        return _hive_type(arguments[0])
    if get_origin(kind) is Sequence:
        return f"array<{_hive_type(arguments[0])}>"
    return f"struct<{','.join(f'{name}:{_hive_type(member)}' for name, member in get_type_hints(kind).items())}>"


class Format(NamedTuple):
    """Athena's classes for a format of files, and its table's parameter `classification`."""

    classification: str
    input: str
    output: str
    serde: str
    parameters: Mapping[str, str]


# https://docs.aws.amazon.com/athena/latest/ug/openx-json-serde.html
_JSON = Format(
    "json",
    "org.apache.hadoop.mapred.TextInputFormat",
    "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
    "org.openx.data.jsonserde.JsonSerDe",
    {"ignore.malformed.json": "false"},
)
# Columns are found by their names, and zstd is read:
# https://docs.aws.amazon.com/athena/latest/ug/parquet-serde.html
# https://docs.aws.amazon.com/athena/latest/ug/handling-schema-updates-chapter.html
# https://docs.aws.amazon.com/athena/latest/ug/compression-support-hive.html
_PARQUET = Format(
    "parquet",
    "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
    {"serialization.format": "1"},
)
# Athena computes the partitions from these parameters, and asks the catalog for none. The columns are texts.
# https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html
_PROJECTIONS = {
    "month": {
        "type": "date",
        "format": "yyyy-MM",
        "range": f"{FIRST_MONTH},NOW",
        "interval": "1",
        "interval.unit": "MONTHS",
    },
    "category": {"type": "enum", "values": ",".join(CATEGORIES)},
}


class Table(NamedTuple):
    """A table over the files below `prefix`, whose keys have the `partitions`."""

    prefix: str
    row: type
    files: Format
    partitions: Sequence[str]
    description: str

    @property
    def columns(self) -> dict[str, str]:
        """The columns' types, without those of the partitions.

        Times are texts, because the JSON SerDe can't parse ISO 8601 with an offset; from_iso8601_timestamp() can.
        """
        types = {name: _hive_type(kind) for name, kind in get_type_hints(self.row).items()}
        return {name: kind for name, kind in types.items() if name not in self.partitions}


TABLES = {
    RECORDS: Table(layout.RECORDS, EntityRecord, _JSON, (), "The findings in the recordings, as soon as there are any"),
    FINDINGS: Table(
        layout.FINDINGS, FindingRow, _PARQUET, ("month", "category"), "The findings in the recordings, by month"
    ),
    UTTERANCES: Table(
        layout.UTTERANCES, UtteranceRow, _PARQUET, ("month",), "What was said in the recordings, by month"
    ),
}


def table_input(name: str, location: str) -> glue.CfnTable.TableInputProperty:
    """The description of a table in the Glue Data Catalog; `location` is the URI of its prefix."""
    table = TABLES[name]
    return glue.CfnTable.TableInputProperty(
        name=name,
        description=table.description,
        table_type="EXTERNAL_TABLE",
        parameters={
            "classification": table.files.classification,
            "EXTERNAL": "TRUE",
            **({"projection.enabled": "true"} if table.partitions else {}),
            **{
                f"projection.{partition}.{key}": value
                for partition in table.partitions
                for key, value in _PROJECTIONS[partition].items()
            },
        },
        partition_keys=[glue.CfnTable.ColumnProperty(name=name, type="string") for name in table.partitions] or None,
        storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
            location=location,
            columns=[glue.CfnTable.ColumnProperty(name=column, type=kind) for column, kind in table.columns.items()],
            input_format=table.files.input,
            output_format=table.files.output,
            serde_info=glue.CfnTable.SerdeInfoProperty(
                serialization_library=table.files.serde, parameters=dict(table.files.parameters)
            ),
        ),
    )
