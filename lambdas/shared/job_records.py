"""The services' descriptions of ended jobs, stored as they are: timings, settings, reasons, versions."""

import json
import os
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lambdas.shared.layout import job_records_prefix
from lambdas.shared.storage import s3


def write_job_record(batch_id: str, stage: str, name: str, answer: Mapping[str, Any]) -> None:
    """Write `batches/<batch_id>/jobs/<stage>/<name>.json`: the members of the service's answer, times in ISO 8601."""
    record = {member: value for member, value in answer.items() if member != "ResponseMetadata"}
    s3.put_object(
        Bucket=os.environ["CLINICAL_BUCKET"],
        Key=f"{job_records_prefix(batch_id, stage)}{name}.json",
        Body=json.dumps(record, ensure_ascii=False, default=datetime.isoformat).encode(),
        ContentType="application/json",
    )
