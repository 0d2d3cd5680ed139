"""The environment variables of each function: only those that it uses."""

import json
from collections.abc import Mapping
from dataclasses import asdict

from aws_cdk import Token

from infra import arns
from infra.data_access_roles import DataAccessRoles
from infra.environment import Environment
from infra.ledger import Ledger
from infra.settings import ConfigurationError
from infra.storage import Storage

Variables = dict[str, str]

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
_LIMIT_BYTES = 4096
# Bucket names are known only at deployment; this is their maximum length.
_BUCKET_NAME = "x" * 63
# Variable -> setting, for the variables whose length depends on the configuration.
_SETTINGS = {"COHORTS": "audience.cohorts", "SQL_COHORTS": "audience.sql_cohorts", "PARAMETERS": "parameters"}


def variables(
    environment: Environment, storage: Storage, ledger: Ledger, roles: DataAccessRoles
) -> Mapping[str, Variables]:
    """The variables of each function by its name.

    Raises:
        ConfigurationError: cohorts or parameters make them exceed Lambda's limit.
    """
    prefix, audience, costs = environment.prefix, environment.audience, environment.costs
    common = {
        "RESOURCE_PREFIX": prefix,
        "POWERTOOLS_SERVICE_NAME": prefix,
        "POWERTOOLS_METRICS_NAMESPACE": "ClinicalMedia",
        "POWERTOOLS_LOG_LEVEL": "INFO",
        "AWS_RETRY_MODE": "standard",
        "AWS_MAX_ATTEMPTS": "5",
    }
    media = {"MEDIA_BUCKET": storage.media.bucket.bucket_name}
    clinical = {"CLINICAL_BUCKET": storage.clinical.bucket.bucket_name}
    clinical_key = {"CLINICAL_KEY_ARN": storage.clinical.key.key_arn}
    audience_bucket = {
        "AUDIENCE_BUCKET": storage.audience.bucket.bucket_name,
        "AUDIENCE_KEY_ARN": storage.audience.key.key_arn,
    }
    table = {"LEDGER_TABLE": ledger.table.table_name}
    members = {"MEMBERS_TABLE": ledger.members.table_name}
    lifetime = {"RESULTS_EXPIRE_AFTER_DAYS": str(environment.results_expire_after_days or "")}
    cohorts = {"COHORTS": _as_json([asdict(cohort) for cohort in audience.cohorts])}
    sql_cohorts = {"SQL_COHORTS": _as_json([asdict(cohort) for cohort in audience.sql_cohorts])}
    jobs = {"CONCURRENT_JOBS": str(environment.transcription.concurrent_jobs)}
    searched = (
        media
        | clinical
        | clinical_key
        | audience_bucket
        | {
            "OPERATIONS_BUCKET": storage.operations.bucket.bucket_name,
            "OPERATIONS_KEY_ARN": storage.operations.key.key_arn,
            "ACCESS_LOGS_BUCKET": storage.access_logs.bucket_name,
        }
    )
    batch_ceiling = {"BATCH_CEILING_USD": f"{costs.batch_ceiling_usd:.2f}"}
    own: dict[str, Variables] = {
        "ingest": media | {"STATE_MACHINE_ARN": arns.state_machine(prefix)},
        "plan_batch": media
        | clinical
        | table
        | members
        | lifetime
        | batch_ceiling
        | {
            "PARAMETERS": _as_json(asdict(environment.parameters)),
            "DAY_CEILING_USD": "" if costs.day_ceiling_usd is None else f"{costs.day_ceiling_usd:.2f}",
            "ABOVE_BATCH_CEILING": costs.above_batch_ceiling,
        },
        "share_jobs": table | jobs | {"STATE_MACHINE_ARN": arns.state_machine(prefix)},
        "wait_for_turn": table | jobs,
        "start_transcription": clinical | clinical_key | {"MEDIA_KEY_ARN": storage.media.key.key_arn},
        "poll_transcription": clinical,
        "prepare_documents": clinical
        | clinical_key
        | table
        | {"MAXIMUM_DOCUMENT_BYTES": str(environment.entity_detection.maximum_document_bytes)},
        "start_entity_detection": clinical
        | clinical_key
        | table
        | batch_ceiling
        | {"ENTITY_DETECTION_ROLE_ARN": roles.entity_detection.role_arn},
        "poll_entity_detection": clinical | table,
        "collect_entities": clinical | clinical_key | table | members | lifetime,
        "prepare_cohorts": table | lifetime | cohorts,
        "index_records": clinical | clinical_key | table | members | lifetime,
        "finish_rebuild": table,
        "select_seeds": table | members | lifetime | audience_bucket | cohorts | sql_cohorts,
        "start_audience_generation": sql_cohorts | {"SEED_READER_ROLE_ARN": roles.seed_reader.role_arn},
        "poll_audience_generation": clinical,
        "start_audience_export": {},
        "poll_audience_export": clinical,
        "summarize_batch": clinical | clinical_key,
        "divide_search": searched | table | members,
        "search_range": searched | table | members,
        "mark_records": members | lifetime,
        "compact_records": clinical | clinical_key | table | members | lifetime,
    }
    result = {function: common | specific for function, specific in own.items()}
    for function in result:
        _check_size(environment.name, function, result[function])
    return result


def _check_size(name: str, function: str, variables: Variables) -> None:
    """Lambda measures the variables as one JSON object, so the quotes in a JSON text count twice."""
    known = {key: _BUCKET_NAME if Token.is_unresolved(value) else value for key, value in variables.items()}
    size = len(_as_json(known).encode())
    if size > _LIMIT_BYTES:
        largest = max(known, key=lambda key: len(known[key]))
        taken = len(json.dumps(known[largest], ensure_ascii=False).encode())
        raise ConfigurationError(
            f"environments.{name}.{_SETTINGS[largest]}, defaults included, takes {taken} of the {size} bytes of "
            f"{function}'s environment variables, but Lambda allows {_LIMIT_BYTES} in all; shorten it."
        )


def _as_json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
