"""The environment variables of each function: what it works with, and nothing that it does not use."""

import json
from collections.abc import Mapping
from dataclasses import asdict

from aws_cdk import Token

from infra import arns
from infra.data_access_roles import DataAccessRoles
from infra.environment import Environment
from infra.settings import ConfigurationError
from infra.storage import Storage

Variables = dict[str, str]

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
_LIMIT_BYTES = 4096
# Bucket names are known at deployment only; this is as long as they get.
_BUCKET_NAME = "x" * 63


def variables(environment: Environment, storage: Storage, roles: DataAccessRoles) -> Mapping[str, Variables]:
    """The variables of each function by its name.

    Raises:
        ConfigurationError: they exceed what Lambda takes, because of the cohorts.
    """
    prefix, audience = environment.prefix, environment.audience
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
    transcription = {"TRANSCRIPTION": _as_json(asdict(environment.transcription))}
    model = {"CONFIGURED_AUDIENCE_MODEL_ARN": audience.configured_audience_model_arn or ""}
    own: dict[str, Variables] = {
        "ingest": {"STATE_MACHINE_ARN": arns.state_machine(prefix)},
        "plan_batch": media | clinical | transcription,
        "start_transcription": clinical | clinical_key | transcription,
        "poll_transcription": clinical,
        "prepare_documents": clinical
        | {"MAXIMUM_DOCUMENT_BYTES": str(environment.entity_detection.maximum_document_bytes)},
        "start_entity_detection": clinical_key
        | {
            "ENTITY_DETECTION_ROLE_ARN": roles.entity_detection.role_arn,
            "COST_CEILING_USD": f"{environment.entity_detection.cost_ceiling_usd:g}",
        },
        "poll_entity_detection": {},
        "collect_entities": clinical,
        "select_seeds": clinical
        | {"AUDIENCE_BUCKET": storage.audience.bucket.bucket_name}
        | {"COHORTS": _as_json([asdict(cohort) for cohort in audience.cohorts])}
        | model,
        "start_audience_generation": model
        | {"COLLABORATION_ID": audience.collaboration_id or "", "SEED_READER_ROLE_ARN": roles.seed_reader.role_arn},
        "poll_audience_generation": {},
        "start_audience_export": {},
        "poll_audience_export": {},
        "summarize_batch": clinical,
    }
    result = {function: common | specific for function, specific in own.items()}
    _check_size(environment.name, result["select_seeds"])
    return result


def _check_size(name: str, select_seeds: Variables) -> None:
    """Lambda measures the variables as one JSON object, so the quotes in a JSON text count twice."""
    known = {key: _BUCKET_NAME if Token.is_unresolved(value) else value for key, value in select_seeds.items()}
    size = len(_as_json(known).encode())
    if size > _LIMIT_BYTES:
        cohorts = len(json.dumps(known["COHORTS"], ensure_ascii=False).encode())
        raise ConfigurationError(
            f"environments.{name}.audience.cohorts takes {cohorts} of the {size} bytes of select_seeds' environment "
            f"variables, but Lambda allows {_LIMIT_BYTES} in all; use fewer cohorts or terms."
        )


def _as_json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
