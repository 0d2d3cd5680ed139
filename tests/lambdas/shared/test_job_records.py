import json
from datetime import UTC, datetime
from typing import Any

from lambdas.shared.job_records import write_job_record


def test_a_record_is_the_service_s_answer_with_its_times_as_text(s3: Any) -> None:
    began = datetime(2026, 11, 24, 5, 0, 1, 500_000, tzinfo=UTC)
    answer = {"name": "j", "createTime": began, "tags": {"ward": "é"}, "ResponseMetadata": {"RequestId": "r"}}
    write_job_record("b", "audience_export", "j", answer)
    kept = s3.get_object(Bucket="clinical-bucket", Key="batches/b/jobs/audience_export/j.json")["Body"].read()
    assert json.loads(kept) == {"name": "j", "createTime": "2026-11-24T05:00:01.500000+00:00", "tags": {"ward": "é"}}
