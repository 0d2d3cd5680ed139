"""A rebuild of the cohorts' indexes from the records in the bucket, as the state machine makes it."""

from typing import Any

import boto3

from lambdas import index_records, prepare_cohorts
from lambdas.cohorts.cohort_rules import Cohort
from lambdas.shared.state import Rebuild
from tests.lambdas.conftest import CLINICAL

FEVER: Cohort = {
    "name": "fever",
    "category": "MEDICAL_CONDITION",
    "terms": ["fever"],
    "minimum_score": 0.5,
    "excluded_traits": [],
    "minimum_seed_size": 25,
    "export": None,
}
EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:pipeline:b"


def rebuild(execution: str = EXECUTION) -> Rebuild:
    """Index all records by the cohorts of the environment, also those that are indexed already."""
    prepared = prepare_cohorts.prepare({"execution_arn": execution}, None)
    listed = boto3.client("s3").list_objects_v2(Bucket=CLINICAL, Prefix=prepared["records_prefix"])
    keys = [item["Key"] for item in listed.get("Contents", ())]
    index_records.handler({"batch_id": "b", "keys": keys}, None)
    batch: Any = {"batch_id": "b", "bucket": CLINICAL}
    return prepare_cohorts.finish({"batch": batch, "indexes": prepared["indexes"]}, None)
