import json
import re
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas import plan_batch
from lambdas.planning import ceilings, other_executions
from lambdas.planning.claims import Claims
from lambdas.planning.job_shares import FIRST_SHARE
from lambdas.shared.claim_items import read_claims, read_execution_item
from lambdas.shared.errors import CostCeilingExceeded, DayCeilingReached
from lambdas.shared.layout import records_key
from lambdas.shared.object_items import read_object
from lambdas.shared.object_items import record as note
from lambdas.shared.spending_items import reserve

MEDIA, CLINICAL = "media-bucket", "clinical-bucket"
EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:pipeline:"


@pytest.fixture(autouse=True)
def statuses(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What Step Functions says of the other executions."""
    known = {"e-1": "SUCCEEDED", "e-2": "SUCCEEDED"}
    monkeypatch.setattr(other_executions, "_status", lambda arn: known[arn.removeprefix(EXECUTION)])
    return known


def put(s3: Any, key: str, body: bytes = b"sound", metadata: dict[str, str] | None = None) -> str:
    s3.put_object(Bucket=MEDIA, Key=key, Body=body, Metadata=metadata or {})
    return f"s3://{MEDIA}/{key}"


def event_of(request: dict[str, Any], execution_name: str = "e-1") -> dict[str, Any]:
    return {
        "request": request,
        "execution_name": execution_name,
        "execution_arn": f"{EXECUTION}{execution_name}",
        "redrive_count": 0,
        "retry_count": 0,
    }


def plan(s3: Any, *uris: str, execution_name: str = "e-1", **more: Any) -> tuple[Any, Any, Any]:
    request = {"media": list(uris), **more}
    batch = plan_batch.handler(event_of(request, execution_name), None)["batch"]

    def read(name: str) -> Any:
        return json.loads(s3.get_object(Bucket=CLINICAL, Key=f"batches/{batch['batch_id']}/{name}")["Body"].read())

    return batch, read("plan.json"), read("recordings.json")


def test_the_map_gets_ids_and_uris_longest_recording_first(s3: Any) -> None:
    uris = [put(s3, f"media/p-1/{seconds}.wav", b"x" * 64_000 * seconds) for seconds in (1, 40, 9)]
    batch, _, items = plan(s3, *uris)
    assert [item["uri"] for item in items] == [uris[1], uris[2], uris[0]]
    assert [item["expected_seconds"] for item in items] == [30, 22, 20]
    assert {item["user_id"] for item in items} == {"p-1"}
    # ShareJobs gives more.
    assert batch["max_concurrency"] == FIRST_SHARE
    assert (batch["recordings"], batch["reused"], batch["rejected"]) == (3, 0, 0)


@pytest.mark.parametrize(
    ("key", "body", "reason"),
    [
        ("media/nobody-s.wav", b"x", "The key is not of the form"),
        ("media/p-1/empty.wav", b"", r"The file is empty \(0 bytes\)"),
        ("media/p-1/visit.docx", b"x", "The file name ends in 'docx'; Transcribe Medical takes amr, flac,"),
        ("media/p-1/visit", b"x", "The file name has no extension"),
        ("media/visit.wav", b"x", "The key is not of the form media/<user_id>/<file>"),
        ("elsewhere/p-1/visit.wav", b"x", "The key is not of the form"),
        ("media/../visit.wav", b"x", "The key has a part of dots only"),
        ("media/p-1/./visit.wav", b"x", "The key has a part of dots only"),
    ],
)
def test_what_cannot_be_used_is_rejected_with_its_reason(s3: Any, key: str, body: bytes, reason: str) -> None:
    good = put(s3, "media/p-2/visit.WAV")
    batch, plan_, items = plan(s3, put(s3, key, body), good)
    (rejected,) = plan_["rejected"]
    assert rejected["uri"] == f"s3://{MEDIA}/{key}"
    assert re.search(reason, rejected["reason"])
    assert [item["uri"] for item in items] == [good]
    assert batch["rejected"] == 1


def test_a_file_beyond_two_gigabytes_is_rejected(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lambdas.planning.preflight.MAXIMUM_BYTES", 4)
    (rejected,) = plan(s3, put(s3, "media/p/a.wav"))[1]["rejected"]
    assert "has 5 bytes; Transcribe Medical takes up to 4" in rejected["reason"]


def test_a_missing_object_is_rejected(s3: Any) -> None:
    _, plan_, items = plan(s3, f"s3://{MEDIA}/media/p-1/gone.wav")
    assert (plan_["rejected"][0]["reason"], items) == ("The object does not exist (any more).", [])


def test_odd_keys_up_to_1024_bytes_are_taken_as_they_are(s3: Any) -> None:
    keys = ["media/p-1/a b+c%20é ünd so.wav", "media/p-1/" + "é" * 505 + ".wav"]
    assert len(keys[1].encode()) == 1024
    _, plan_, items = plan(s3, *(put(s3, key) for key in keys))
    assert {item["uri"] for item in items} == {f"s3://{MEDIA}/{key}" for key in keys}
    assert plan_["rejected"] == []


@pytest.mark.parametrize(
    ("metadata", "consent"),
    [({}, False), ({"audience-consent": "true"}, True), ({"audience-consent": "TRUE "}, True),
     ({"audience-consent": "false"}, False), ({"audience-consent": "yes"}, False), ({"audience-consent": "1"}, False)],
)  # fmt: skip
def test_consent_is_a_plain_true_and_nothing_else(s3: Any, metadata: dict[str, str], consent: bool) -> None:
    _, plan_, _ = plan(s3, put(s3, "media/p-1/a.wav", metadata=metadata))
    assert plan_["recordings"][0]["audience_consent"] is consent


def record(s3: Any, plan_: dict[str, Any], position: int = 0) -> None:
    """What CollectEntities does when it has finished a recording."""
    item = plan_["recordings"][position]
    object_id, transcript_id = item["object_id"], item["transcript_id"]
    s3.put_object(Bucket=CLINICAL, Key=records_key(object_id), Metadata={"transcript-id": transcript_id})
    assert note(object_id, read_object(object_id), transcript_id, plan_["batch_id"], None)


def test_a_finished_recording_is_reused(s3: Any) -> None:
    uris = [put(s3, "media/p-1/a.wav"), put(s3, "media/p-1/b.wav")]
    _, plan_, (first, second) = plan(s3, *uris)
    record(s3, plan_)
    batch, plan_, items = plan(s3, *uris, execution_name="e-2")
    assert batch["reused"] == 1
    assert items == [{**second, "batch_id": "e-2"}]
    assert {item["media_id"]: item["reused"] for item in plan_["recordings"]} == {
        first["media_id"]: True,
        second["media_id"]: False,
    }


def test_reprocess_does_a_finished_recording_again_under_a_new_name(s3: Any) -> None:
    uri = put(s3, "media/p-1/a.wav")
    _, plan_, (first,) = plan(s3, uri)
    record(s3, plan_)
    batch, plan_, (again,) = plan(s3, uri, execution_name="e-2", reprocess=True)
    assert again["transcript_id"] != first["transcript_id"]
    assert (plan_["reprocess"], batch["pending"]) == (True, 1)


def test_parameters_that_change_the_result_make_another_transcript(s3: Any) -> None:
    uri = put(s3, "media/p-1/a.wav")
    _, plan_, (first,) = plan(s3, uri)
    record(s3, plan_)
    _, plan_, (second,) = plan(s3, uri, parameters={"StartMedicalTranscriptionJob": {"Type": "CONVERSATION"}})
    assert second["transcript_id"] != first["transcript_id"]
    assert plan_["parameters"]["StartMedicalTranscriptionJob"]["Type"] == "CONVERSATION"


@pytest.mark.parametrize(
    "parameters", [{"Tags": [{"Key": "ward", "Value": "3"}]}, {"KMSEncryptionContext": {"ward": "3"}}]
)
def test_parameters_that_do_not_change_the_result_make_no_other_transcript(s3: Any, parameters: dict[str, Any]) -> None:
    uri = put(s3, "media/p-1/a.wav")
    record(s3, plan(s3, uri)[1])
    assert plan(s3, uri, parameters={"StartMedicalTranscriptionJob": parameters})[0]["reused"] == 1


def test_what_was_asked_of_the_services_goes_on_in_the_state(s3: Any) -> None:
    parameters = plan_batch.handler(event_of({"media": [put(s3, "media/p-1/a.wav")]}), None)["parameters"]
    assert parameters["StartEntitiesDetectionV2Job"] == {"LanguageCode": "en"}


def test_a_new_version_of_an_object_is_another_recording(s3: Any) -> None:
    _, before, (first,) = plan(s3, put(s3, "media/p-1/a.wav"))
    record(s3, before)
    _, after, (second,) = plan(s3, put(s3, "media/p-1/a.wav"))
    assert first["media_id"] != second["media_id"]
    assert before["recordings"][0]["object_id"] == after["recordings"][0]["object_id"]


def test_another_execution_names_the_same_transcript_for_the_same_recording(s3: Any) -> None:
    uri = put(s3, "media/p-1/a.wav")
    (first,), (second,) = plan(s3, uri)[2], plan(s3, uri, execution_name="e-2")[2]
    assert (first["batch_id"], second["batch_id"]) == ("e-1", "e-2")
    assert first["transcript_id"] == second["transcript_id"]


def test_a_recording_that_another_execution_works_on_is_left_to_it(s3: Any, statuses: dict[str, str]) -> None:
    both, alone = put(s3, "media/p-1/a.wav"), put(s3, "media/p-1/b.wav")
    plan(s3, both)
    statuses["e-1"] = "RUNNING"
    batch, plan_, items = plan(s3, both, alone, execution_name="e-2")
    assert (batch["elsewhere"], batch["pending"], [item["uri"] for item in items]) == (1, 1, [alone])
    (left,) = plan_["elsewhere"]
    assert (left["uri"], left["execution_name"]) == (both, "e-1")
    assert [item["uri"] for item in plan_["recordings"]] == [alone]


def test_a_recording_that_a_failed_execution_left_is_done_here(s3: Any, statuses: dict[str, str]) -> None:
    uri = put(s3, "media/p-1/a.wav")
    plan(s3, uri)
    statuses["e-1"] = "FAILED"
    batch, _, items = plan(s3, uri, execution_name="e-2")
    assert (batch["elsewhere"], [item["uri"] for item in items]) == (0, [uri])


def test_a_recording_that_was_finished_while_this_execution_asked_is_reused(
    s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = put(s3, "media/p-1/a.wav")
    _, plan_, _ = plan(s3, uri)

    def finishing(self: Claims, pool: Any, transcript_ids: list[str]) -> dict[str, str]:
        record(s3, plan_)
        return dict.fromkeys(transcript_ids, "e-2")

    monkeypatch.setattr(Claims, "claim", finishing)
    assert plan(s3, uri, execution_name="e-2")[0]["reused"] == 1


def test_the_answer_carries_no_user_id_and_no_file_name(s3: Any) -> None:
    batch, _, _ = plan(s3, put(s3, "media/p-1/a.wav"))
    assert "p-1" not in json.dumps(batch)
    assert "a.wav" not in json.dumps(batch)


@pytest.mark.parametrize("name", ["plan.json", "recordings.json"])
def test_an_attempt_that_another_has_overtaken_overwrites_nothing(
    s3: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Stopping an execution doesn't stop its function, which may go on beside that of the redrive."""
    uri = put(s3, "media/p-1/a.wav")
    key = f"batches/e-1/{name}"
    look_ahead = plan_batch.look_ahead

    def overtaken(*arguments: Any) -> Any:
        monkeypatch.setattr(plan_batch, "look_ahead", look_ahead)
        s3.put_object(Bucket=CLINICAL, Key=key, Body=b"of the later attempt")
        return look_ahead(*arguments)

    monkeypatch.setattr(plan_batch, "look_ahead", overtaken)
    with pytest.raises(ClientError, match="PreconditionFailed"):
        plan(s3, uri)
    assert s3.get_object(Bucket=CLINICAL, Key=key)["Body"].read() == b"of the later attempt"
    assert plan(s3, uri)[0]["recordings"] == 1


# The minimum of both services, which a file of a few bytes costs.
LEAST_USD = 15 * 0.00125 + 0.01


def attempt(number: int, *uris: str, execution_name: str = "e-1", redrive_count: int = 0) -> Any:
    event = event_of({"media": list(uris)}, execution_name)
    return plan_batch.handler(event | {"retry_count": number, "redrive_count": redrive_count}, None)["batch"]


def costs(s3: Any, execution_name: str = "e-1") -> Any:
    body = s3.get_object(Bucket=CLINICAL, Key=f"batches/{execution_name}/plan.json")["Body"].read()
    return json.loads(body)["costs"]


@pytest.fixture
def day(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    days = ["2026-11-27"]
    monkeypatch.setattr(ceilings, "today", lambda: days[-1])
    return days


def test_the_plan_has_the_estimate_the_bound_and_the_day_of_the_reservation(s3: Any, day: list[str]) -> None:
    _, plan_, _ = plan(s3, put(s3, "media/p-1/a.wav", b"x" * 64_000 * 20), put(s3, "media/p-1/b.wav"))
    assert plan_["costs"] == {
        # 20 seconds, or 43 minutes; a few bytes.
        "estimate": {"transcribe_medical": 0.0437, "comprehend_medical": 0.04, "total": 0.0837},
        "bound": {"transcribe_medical": 3.2188, "comprehend_medical": 7.69, "total": 10.9087},
        "reserved_on": "2026-11-27",
    }


def test_only_the_recordings_that_this_execution_transcribes_cost_anything(
    s3: Any, statuses: dict[str, str], day: list[str]
) -> None:
    done, theirs, ours = (put(s3, f"media/p-1/{name}.wav") for name in "abc")
    record(s3, plan(s3, done)[1])
    statuses["e-2"] = "RUNNING"
    plan(s3, theirs, execution_name="e-2")
    _, plan_, _ = plan(s3, done, theirs, ours, execution_name="e-3")
    assert plan_["costs"]["estimate"]["total"] == round(LEAST_USD, 4)
    _, plan_, _ = plan(s3, done, theirs, execution_name="e-4")
    assert plan_["costs"]["estimate"]["total"] == 0
    assert plan_["costs"]["reserved_on"] is None


def test_a_batch_above_the_ceiling_writes_no_plan_and_a_redrive_goes_on_when_it_is_raised(
    s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = put(s3, "media/p-1/a.wav")
    monkeypatch.setenv("BATCH_CEILING_USD", "0.02")
    with pytest.raises(CostCeilingExceeded, match=r"would cost about 0\.03 USD"):
        attempt(0, uri)
    assert "Contents" not in s3.list_objects_v2(Bucket=CLINICAL)
    monkeypatch.setenv("BATCH_CEILING_USD", "0.03")
    assert attempt(0, uri, redrive_count=1)["pending"] == 1


def test_a_batch_is_cut_to_what_fits_and_other_executions_may_have_the_rest(
    s3: Any, statuses: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    uris = [put(s3, f"media/p-1/{name}.wav") for name in "abc"]
    monkeypatch.setenv("ABOVE_BATCH_CEILING", "cut")
    monkeypatch.setenv("BATCH_CEILING_USD", str(2 * LEAST_USD))
    statuses["e-1"] = "RUNNING"
    batch, plan_, items = plan(s3, *uris)
    assert (batch["pending"], batch["rejected"], batch["recordings"]) == (2, 1, 3)
    assert {item["uri"] for item in items} == {item["uri"] for item in plan_["recordings"]} == set(uris[:2])
    (rejected,) = plan_["rejected"]
    assert rejected["uri"] == uris[2]
    assert "earlier uploads took it. Nothing was spent on this recording." in rejected["reason"]
    assert plan_["costs"]["estimate"]["total"] == round(2 * LEAST_USD, 4)
    batch, _, items = plan(s3, *uris, execution_name="e-2")
    assert (batch["elsewhere"], [item["uri"] for item in items]) == (2, [uris[2]])


def test_a_batch_waits_until_a_day_has_enough_left(s3: Any, day: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAY_CEILING_USD", "0.05")
    first, second = put(s3, "media/p-1/a.wav"), put(s3, "media/p-1/b.wav")
    attempt(0, first)
    for number in range(3):
        with pytest.raises(DayCeilingReached, match=r"about 0\.03 USD; of today's 0\.05 USD .* 0\.02 are left"):
            attempt(number, second, execution_name="e-2")
    day.append("2026-11-28")
    assert attempt(3, second, execution_name="e-2")["pending"] == 1
    assert costs(s3, "e-2")["reserved_on"] == "2026-11-28"


def test_a_batch_goes_on_when_the_ceiling_is_raised(s3: Any, day: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAY_CEILING_USD", "0.05")
    first, second = put(s3, "media/p-1/a.wav"), put(s3, "media/p-1/b.wav")
    attempt(0, first)
    with pytest.raises(DayCeilingReached):
        attempt(0, second, execution_name="e-2")
    monkeypatch.setenv("DAY_CEILING_USD", "0.06")
    assert attempt(1, second, execution_name="e-2")["pending"] == 1


def test_waiting_takes_two_reads_and_claims_nothing(
    s3: Any, day: list[str], statuses: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAY_CEILING_USD", "0.05")
    first, second = put(s3, "media/p-1/a.wav"), put(s3, "media/p-1/b.wav")
    attempt(0, first)
    statuses.update({"e-1": "RUNNING", "e-2": "RUNNING"})
    with pytest.raises(DayCeilingReached):
        attempt(0, first, second, execution_name="e-2")
    with monkeypatch.context() as patch:
        patch.setattr(plan_batch, "read_request", lambda request: pytest.fail("the batch is planned again"))
        with pytest.raises(DayCeilingReached):
            attempt(1, first, second, execution_name="e-2")
    monkeypatch.setenv("DAY_CEILING_USD", "1")
    assert attempt(0, second, execution_name="e-3")["pending"] == 1
    statuses["e-3"] = "RUNNING"
    assert attempt(2, first, second, execution_name="e-2")["elsewhere"] == 2


def test_an_attempt_that_failed_after_its_reservation_reserves_once(
    s3: Any, day: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAY_CEILING_USD", "0.04")
    uri = put(s3, "media/p-1/a.wav")
    with monkeypatch.context() as patch:
        patch.setattr(plan_batch, "write_json", lambda *args, **more: pytest.fail("S3 is out of order"))
        with pytest.raises(pytest.fail.Exception):
            attempt(0, uri)
    assert attempt(1, uri)["pending"] == 1
    assert attempt(0, uri, redrive_count=1)["pending"] == 1


def test_two_attempts_at_once_leave_the_reservation_and_the_claims_to_the_later_one(
    s3: Any, day: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = put(s3, "media/p-1/a.wav")

    def reserve_late(*args: Any) -> Any:
        monkeypatch.setattr(ceilings, "reserve", reserve)
        attempt(0, uri, redrive_count=1)
        return reserve(*args)

    monkeypatch.setattr(ceilings, "reserve", reserve_late)
    with pytest.raises(RuntimeError, match="later attempt of PlanBatch has begun"):
        attempt(0, uri)
    later = plan_batch.PLANNINGS_OF_AN_ATTEMPT * plan_batch.MORE_THAN_RETRIES
    assert read_execution_item("e-1").planning == later
    (claim,) = read_claims([json.loads(plan_of(s3))["recordings"][0]["transcript_id"]]).values()
    assert claim.planning == later


def plan_of(s3: Any) -> str:
    body: str = s3.get_object(Bucket=CLINICAL, Key="batches/e-1/plan.json")["Body"].read().decode()
    return body
