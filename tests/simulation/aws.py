"""AWS as the handlers see it: whichever module makes a client, and however, its calls come here and go no further."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from botocore.loaders import Loader
from botocore.model import ServiceModel

from infra import sdk_models
from lambdas.searching.categories import Buckets
from lambdas.shared.observability import logger, metrics

MEDIA, CLINICAL, AUDIENCE = "media-bucket", "clinical-bucket", "audience-bucket"
BUCKETS = Buckets(MEDIA, CLINICAL, AUDIENCE, "operations-bucket", "logs-bucket")
LEDGER, MEMBERS = "ledger-table", "members-table"
SUPPRESSION_KEY = "suppression/user_ids.txt"
PREFIX = "clinical-media-test"
STATE_MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:pipeline"
# Two of the fakes' sentences don't fit into one document.
MAXIMUM_DOCUMENT_BYTES = 60
ENVIRONMENT = {
    "RESOURCE_PREFIX": PREFIX,
    "MEDIA_BUCKET": MEDIA,
    "CLINICAL_BUCKET": CLINICAL,
    "AUDIENCE_BUCKET": AUDIENCE,
    "OPERATIONS_BUCKET": BUCKETS.operations,
    "ACCESS_LOGS_BUCKET": BUCKETS.access_logs,
    "LEDGER_TABLE": LEDGER,
    "MEMBERS_TABLE": MEMBERS,
    "RESULTS_EXPIRE_AFTER_DAYS": "",
    "MEDIA_KEY_ARN": "arn:aws:kms:us-east-1:123456789012:key/media",
    "CLINICAL_KEY_ARN": "arn:aws:kms:us-east-1:123456789012:key/clinical",
    "AUDIENCE_KEY_ARN": "arn:aws:kms:us-east-1:123456789012:key/audience",
    "OPERATIONS_KEY_ARN": "arn:aws:kms:us-east-1:123456789012:key/operations",
    "STATE_MACHINE_ARN": STATE_MACHINE,
    "MAXIMUM_DOCUMENT_BYTES": str(MAXIMUM_DOCUMENT_BYTES),
    "ENTITY_DETECTION_ROLE_ARN": "arn:aws:iam::123456789012:role/entity-detection",
    "SEED_READER_ROLE_ARN": "arn:aws:iam::123456789012:role/seed-reader",
    "BATCH_CEILING_USD": "100",
    "DAY_CEILING_USD": "1000",
    "ABOVE_BATCH_CEILING": "stop",
    "SQL_COHORTS": "[]",
    "CONCURRENT_JOBS": "250",
}
PARAMETERS: dict[str, dict[str, Any]] = {
    "StartMedicalTranscriptionJob": {"LanguageCode": "en-US", "Specialty": "PRIMARYCARE", "Type": "DICTATION"},
    "StartEntitiesDetectionV2Job": {"LanguageCode": "en"},
    "StartAudienceGenerationJob": {
        "configuredAudienceModelArn": "arn:aws:cleanrooms-ml:us-east-1:123456789012:configured-audience-model/m"
    },
}
COHORT = {
    "name": "everybody",
    "category": "MEDICATION",
    "terms": ["*"],
    "excluded_traits": [],
    "minimum_seed_size": 1,
    "export": None,
}

# What answers a call: service, operation, parameters.
Answer = Callable[[str, str, dict[str, Any]], Any]


class Refused(Exception):
    """A fake's refusal; the caller sees the error that its own client has for the code, with what `response` adds."""

    def __init__(self, code: str, message: str = "refused by the fake", **response: Any) -> None:
        super().__init__(code)
        self.code, self.message, self.response = code, message, response


@contextmanager
def functions(answer: Answer) -> Iterator[pytest.MonkeyPatch]:
    """The functions with their environment, whose calls `answer` answers; their threads' work is done one by one."""
    level = logger.log_level
    with pytest.MonkeyPatch.context() as patch:
        for name, value in ENVIRONMENT.items():
            patch.setenv(name, value)
        deploy(patch)
        patch.setattr(BaseClient, "_make_api_call", _made_by(answer))
        # Making one takes longer than most functions.
        patch.setattr(BaseClient, "get_paginator", cache(BaseClient.get_paginator))
        patch.setattr(ThreadPoolExecutor, "submit", _submit)
        patch.setattr(time, "sleep", lambda seconds: None)
        for name in ("add_metric", "add_dimension", "add_dimensions", "flush_metrics"):
            patch.setattr(metrics, name, lambda *given, **named: None)
        logger.setLevel("CRITICAL")
        try:
            yield patch
        finally:
            logger.setLevel(level)


def deploy(patch: pytest.MonkeyPatch, *, cohorts: float = 0.0, **transcription: Any) -> None:
    """Settings that a deployment may change: how is transcribed, and the minimum score of the cohort, 0 for none."""
    of_transcription = PARAMETERS["StartMedicalTranscriptionJob"] | transcription
    patch.setenv("PARAMETERS", json.dumps(PARAMETERS | {"StartMedicalTranscriptionJob": of_transcription}))
    patch.setenv("COHORTS", json.dumps([COHORT | {"minimum_score": cohorts}] if cohorts else []))


def _made_by(answer: Answer) -> Callable[[Any, str, dict[str, Any]], Any]:
    def make(client: Any, operation_name: str, api_params: dict[str, Any]) -> Any:
        try:
            return answer(client.meta.service_model.service_name, operation_name, api_params)
        except Refused as refused:
            described: Any = {"Error": {"Code": refused.code, "Message": refused.message}, **refused.response}
            service = client.meta.service_model.service_name
            known = refused.code in _errors(service)
            error = client.exceptions.from_code(refused.code) if known else ClientError
            raise error(described, operation_name) from None

    return make


@cache
def _errors(service: str) -> frozenset[str]:
    """The codes of the errors that have a class of their own in the functions' reduced model of the service.

    An error's class gives the name by which the state machine knows it.
    """
    model = ServiceModel(Loader().load_service_model(service, "service-2"), service)
    shapes = (shape for name in _called().get(service, ()) for shape in model.operation_model(name).error_shapes)
    return frozenset(shape.metadata.get("error", {}).get("code") or shape.name for shape in shapes)


@cache
def _called() -> dict[str, list[str]]:
    return sdk_models.operations()


def _submit(pool: object, work: Callable[..., Any], /, *given: Any, **named: Any) -> Future[Any]:
    """A greenlet can't go on in another thread than its own."""
    future: Future[Any] = Future()
    try:
        future.set_result(work(*given, **named))
    except Exception as error:
        future.set_exception(error)
    return future
