"""Members of cohorts by reading the records of all batches, which this application did before it had indexes."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

from lambdas.cohorts.cohort_rules import Cohort, Found, checks_of, met


def members(s3: Any, bucket: str, cohorts: Iterable[Cohort]) -> Mapping[str, set[str]]:
    """The user ids of each cohort's members by its name; one request per recording, in 16 threads."""
    checks, decode = checks_of({cohort["name"]: cohort for cohort in cohorts}), msgspec.json.Decoder(Found).decode_lines
    found: dict[str, set[str]] = {cohort["name"]: set() for cohort in cohorts}

    def look(key: str) -> tuple[set[str], str]:
        records = decode(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        return met(checks, records), records[0].user_id

    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="records/")
    with ThreadPoolExecutor(16) as pool:
        for names, user_id in pool.map(look, (item["Key"] for page in pages for item in page["Contents"])):
            for name in names:
                found[name].add(user_id)
    return found
