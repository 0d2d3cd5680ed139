"""SQL over the findings: the database with its tables, an Athena workgroup, and saved queries."""

import aws_cdk as cdk
from aws_cdk import aws_athena as athena
from aws_cdk import aws_glue as glue
from constructs import Construct

from infra.analysis_tables import TABLES, table_input
from infra.environment import Environment
from infra.saved_queries import QUERIES
from infra.storage import DataStore
from lambdas.shared import layout
from lambdas.shared.uris import uri_of


def database_name(environment: Environment) -> str:
    """The database's name; other characters than letters, digits and underscores would need quotation marks in SQL."""
    return environment.prefix.replace("-", "_")


class Analysis(Construct):
    """Database, tables, workgroup and queries."""

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment, clinical: DataStore) -> None:
        super().__init__(scope, construct_id)
        name, bucket = database_name(environment), clinical.bucket.bucket_name
        database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=cdk.Aws.ACCOUNT_ID,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=name, description=f"{environment.prefix}: findings, and what was said"
            ),
        )
        for table in TABLES:
            made = glue.CfnTable(
                self,
                "".join(word.title() for word in table.split("_")),
                catalog_id=cdk.Aws.ACCOUNT_ID,
                database_name=name,
                table_input=table_input(table, uri_of(bucket, TABLES[table].prefix)),
            )
            made.add_resource_dependency(database)
        workgroup = athena.CfnWorkGroup(
            self,
            "Workgroup",
            name=environment.prefix,
            description=f"{environment.prefix}: queries over the findings",
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
