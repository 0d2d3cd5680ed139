"""The entity records as a table for SQL: a Glue table over `records/`, an Athena workgroup, and saved queries."""

from collections.abc import Sequence
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

import aws_cdk as cdk
from aws_cdk import aws_athena as athena
from aws_cdk import aws_glue as glue
from constructs import Construct

from infra.environment import Environment
from infra.storage import DataStore
from lambdas.shared import layout
from lambdas.shared.entity_record import EntityRecord
from lambdas.shared.uris import uri_of

TABLE = "entity_records"
# Python type of a record's member -> Athena's type.
_PLAIN = {str: "string", bool: "boolean", int: "int", float: "double"}


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


# Times are text, because the JSON SerDe can't parse ISO 8601 with an offset; from_iso8601_timestamp() can.
COLUMNS = {name: _hive_type(kind) for name, kind in get_type_hints(EntityRecord).items()}

QUERIES: dict[str, tuple[str, str]] = {
    "medications": (
        "Medications by patient: the latest mention of each, with dose, route, form and frequency as spoken",
        f"""
WITH mentions AS (
  SELECT user_id, lower(text) AS medication, attributes, media_uri, start_seconds, score,
    row_number() OVER (PARTITION BY user_id, lower(text) ORDER BY uploaded_at DESC, start_seconds DESC) AS latest,
    min(uploaded_at) OVER (PARTITION BY user_id, lower(text)) AS first_uploaded_at,
    max(uploaded_at) OVER (PARTITION BY user_id, lower(text)) AS last_uploaded_at
  FROM {TABLE}
  WHERE category = 'MEDICATION' AND none_match(traits, trait -> trait.name IN ('NEGATION', 'HYPOTHETICAL'))
)
SELECT user_id, medication,
  array_join(transform(filter(attributes, a -> a.type = 'DOSAGE'), a -> a.text), ', ') AS dosage,
  array_join(transform(filter(attributes, a -> a.type = 'STRENGTH'), a -> a.text), ', ') AS strength,
  array_join(transform(filter(attributes, a -> a.type = 'ROUTE_OR_MODE'), a -> a.text), ', ') AS route,
  array_join(transform(filter(attributes, a -> a.type = 'FORM'), a -> a.text), ', ') AS form,
  array_join(transform(filter(attributes, a -> a.type = 'FREQUENCY'), a -> a.text), ', ') AS frequency,
  first_uploaded_at, last_uploaded_at, media_uri, start_seconds, score
FROM mentions
WHERE latest = 1
ORDER BY user_id, medication
""",
    ),
    "problems": (
        "Problem list by patient: conditions that are not negated, hypothetical or a relative's",
        f"""
SELECT user_id, lower(text) AS condition,
  count(DISTINCT media_id) AS recordings,
  min(from_iso8601_timestamp(uploaded_at)) AS first_uploaded_at,
  max(from_iso8601_timestamp(uploaded_at)) AS last_uploaded_at,
  max(score) AS highest_score,
  bool_or(any_match(traits, trait -> trait.name = 'DIAGNOSIS')) AS diagnosed
FROM {TABLE}
WHERE category = 'MEDICAL_CONDITION'
  AND none_match(traits, trait -> trait.name IN ('NEGATION', 'PERTAINS_TO_FAMILY', 'HYPOTHETICAL'))
GROUP BY user_id, lower(text)
ORDER BY user_id, recordings DESC, condition
""",
    ),
    "to-be-reviewed": (
        "For a clinician to check by ear: unsure findings, unclear words, doses without their medication",
        f"""
SELECT user_id, media_uri, start_seconds, end_seconds, speaker, category, type, text, score, confidence,
  CASE
    WHEN category = 'UNMAPPED_ATTRIBUTE' THEN 'belongs to no entity'
    WHEN score < 0.6 THEN 'unsure finding'
    ELSE 'unclear words'
  END AS reason
FROM {TABLE}
WHERE source = 'comprehend_medical'
  AND (category = 'UNMAPPED_ATTRIBUTE' OR score < 0.6 OR confidence < 0.5)
ORDER BY user_id, media_uri, start_seconds
""",
    ),
}


def database_name(environment: Environment) -> str:
    """The database's name; other characters than letters, digits and underscores would need quotation marks in SQL."""
    return environment.prefix.replace("-", "_")


class Analysis(Construct):
    """Database, table, workgroup and queries. The table has no partitions: `records/` has one file per recording."""

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment, clinical: DataStore) -> None:
        super().__init__(scope, construct_id)
        name, bucket = database_name(environment), clinical.bucket.bucket_name
        database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=cdk.Aws.ACCOUNT_ID,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=name, description=f"{environment.prefix}: entity records"
            ),
        )
        table = glue.CfnTable(
            self,
            "EntityRecords",
            catalog_id=cdk.Aws.ACCOUNT_ID,
            database_name=name,
            table_input=glue.CfnTable.TableInputProperty(
                name=TABLE,
                description="The findings of the two services in the recordings, one row per finding",
                table_type="EXTERNAL_TABLE",
                parameters={"classification": "json", "EXTERNAL": "TRUE"},
                storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
                    location=uri_of(bucket, layout.RECORDS),
                    columns=[glue.CfnTable.ColumnProperty(name=column, type=kind) for column, kind in COLUMNS.items()],
                    input_format="org.apache.hadoop.mapred.TextInputFormat",
                    output_format="org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
                    # https://docs.aws.amazon.com/athena/latest/ug/openx-json-serde.html
                    serde_info=glue.CfnTable.SerdeInfoProperty(
                        serialization_library="org.openx.data.jsonserde.JsonSerDe",
                        parameters={"ignore.malformed.json": "false"},
                    ),
                ),
            ),
        )
        table.add_resource_dependency(database)
        workgroup = athena.CfnWorkGroup(
            self,
            "Workgroup",
            name=environment.prefix,
            description=f"{environment.prefix}: queries over the entity records",
            # Deletes the query history too. The results are in the clinical bucket, which has its own retention.
            recursive_delete_option=True,
            work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
                # Queries can't choose another location or key for their results.
                enforce_work_group_configuration=True,
                publish_cloud_watch_metrics_enabled=True,
                bytes_scanned_cutoff_per_query=environment.analysis.query_limit_gib * 1024**3,
                engine_version=athena.CfnWorkGroup.EngineVersionProperty(
                    selected_engine_version="Athena engine version 3"
                ),
                result_configuration=athena.CfnWorkGroup.ResultConfigurationProperty(
                    output_location=uri_of(bucket, layout.QUERIES),
                    expected_bucket_owner=cdk.Aws.ACCOUNT_ID,
                    # The bucket's policy accepts the key's ARN, not an alias.
                    encryption_configuration=athena.CfnWorkGroup.EncryptionConfigurationProperty(
                        encryption_option="SSE_KMS", kms_key=clinical.key.key_arn
                    ),
                ),
            ),
        )
        for query, (description, statement) in QUERIES.items():
            saved = athena.CfnNamedQuery(
                self,
                "".join(word.title() for word in query.split("-")),
                name=query,
                database=name,
                work_group=environment.prefix,
                description=description,
                query_string=statement.strip(),
            )
            saved.add_resource_dependency(workgroup)
