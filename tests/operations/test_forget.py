"""Forgetting patients whose recordings were in one batch with another patient's, on the local AWS."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, NamedTuple, get_args

import pytest
from moto.s3.models import FakeDeleteMarker, FakeKey, s3_backends

from lambdas.searching.categories import category_of
from lambdas.searching.files import Scope, request
from lambdas.searching.traces import Traces
from lambdas.searching.versions import Version, list_versions
from lambdas.shared.identity import digest
from lambdas.shared.layout import SUPPRESSION_LIST as SUPPRESSION_KEY
from local.aws.credentials import ACCOUNT_ID
from operations.deployed import Deployed
from operations.errors import OperationError
from operations.forgetting import at_work, ledger, removal, searching
from operations.forgetting import forget as forgetting
from operations.forgetting.versions import replace
from tests.docs.pages import json_keys
from tests.operations.conftest import Command, clear_access_logs, deliver_access_logs, log_bucket
from tests.statemachine.conftest import Run

LAST_LINE = re.compile(r"forget: (\d+) objects removed, (\d+) rewritten, (\d+) looked at, (\d+) left")


def silent(*_: Any) -> None:
    """Ignore the progress."""


class Stored(NamedTuple):
    bucket: str
    key: str
    version_id: str
    content: bytes


def stored(run: Run) -> list[Stored]:
    """Every version of every object that the local S3 holds for the stack; content with metadata, none of a marker."""
    logs = log_bucket(run)
    buckets = s3_backends[ACCOUNT_ID]["aws"].buckets
    return [
        Stored(
            name,
            key,
            version.version_id,
            b""
            if isinstance(version, FakeDeleteMarker)
            else version.value + json.dumps(dict(version.metadata)).encode(),
        )
        for name, bucket in sorted(buckets.items())
        if name.startswith(logs[: logs.index("access")])
        for key, versions in sorted(bucket.keys.lists())
        for version in versions
    ]


def content(version: FakeKey) -> bytes:
    return version.value + json.dumps(dict(version.metadata)).encode()


def naming(run: Run, *traces: str, logs: bool = False) -> set[str]:
    """Every object with a version whose key, metadata or content has one of these, except the suppression list."""
    return {
        f"{item.bucket}/{item.key}"
        for item in stored(run)
        if item.key != SUPPRESSION_KEY
        and (logs or item.bucket != log_bucket(run))
        and any(trace in item.key or trace.encode() in item.content for trace in traces)
    }


def ledger_naming(deployed: Deployed, *traces: str) -> set[str]:
    """The keys of the ledger's items that contain one of these; all keys if none is given."""
    pages = (
        deployed.client("dynamodb").scan(TableName=table, ConsistentRead=True)["Items"]
        for table in (deployed.ledger, deployed.members)
    )
    keys = {" ".join(item[name]["S"] for name in ("pk", "sk") if name in item) for page in pages for item in page}
    return {key for key in keys if not traces or any(trace in key for trace in traces)}


@pytest.fixture(scope="module")
def plan(world: Run) -> dict[str, Any]:
    """The run of a batch with three patients, who are also in a seed; tests may forget all but p-stays."""
    users = ("p-gone", "p-cut", "p-stays")
    world.remember([f"p-{number:03}" for number in range(1, 31)] + list(users))
    media = []
    for user in users:
        said = world.engines.recording(f"Patient {user} has hypertension.")
        media += [world.drop(f"media/{user}/visit.wav", said, consent=True)]
        media += [world.drop(f"media/{user}/notes.docx", b"no sound")]
    assert {world.execution_of(uri)["status"] for uri in media} == {"SUCCEEDED"}
    summary = world.summary(world.start(media=media))
    plan: dict[str, Any] = json.loads(world.clinical(f"batches/{summary['batch_id']}/plan.json"))
    return plan


def ids_of(plan: dict[str, Any], user_id: str) -> list[str]:
    entries = [item for item in plan["recordings"] + plan["rejected"] if item["user_id"] == user_id]
    assert len(entries) == 2
    return [item[name] for item in entries for name in ("media_id", "object_id") if name in item]


def access_log(run: Run, *keys: str) -> str:
    """Write an access log of these requests, and return its key in the log bucket."""
    lines = [
        f"owner {run.pipeline.media_bucket} [24/Nov/2026:14:00:00 +0000] 192.0.2.3 arn:aws:iam::1:user/ann 3E57 "
        f'REST.GET.OBJECT {key} "GET /{key}?versionId=1 HTTP/1.1" 200 - 1 1 7 7 "-" "aws-cli" -'
        for key in keys
    ]
    key = "media/2026-11-24-14-00-00-0123456789ABCDEF"
    run.s3.put_object(Bucket=log_bucket(run), Key=key, Body="\n".join(lines).encode())
    return key


def test_everything_of_the_patient_goes_and_the_other_keeps_everything(
    run: Run, deployed: Deployed, operate: Command, plan: dict[str, Any]
) -> None:
    gone, stays = ids_of(plan, "p-gone"), ids_of(plan, "p-stays")
    logged = access_log(run, "media/p-gone/visit.wav", f"records/{gone[1]}.jsonl", "media/p-stays/visit.wav")
    run.s3.put_object(Bucket=deployed.clinical, Key="queries/1.csv", Body=b'"user_id"\n"p-gone"\n')
    upload = run.s3.create_multipart_upload(Bucket=deployed.media, Key="media/p-gone/long.wav")
    of_the_other, items_of_the_other = naming(run, *stays), ledger_naming(deployed, *stays)
    ledger_before = ledger_naming(deployed)
    assert len(ledger_naming(deployed, *gone)) > 1

    before = stored(run)
    tried = operate("forget", "p-gone", "--dry-run")
    assert (tried.code, tried.output.splitlines()[-1]) == (0, "forget: nothing was changed (--dry-run)")
    assert (stored(run), ledger_naming(deployed)) == (before, ledger_before)
    assert operate("forget", "p-gone", stdin="n\n").code == 1
    assert stored(run) == before

    deliver_access_logs(run, True)
    answer = operate("forget", "p-gone", "--yes")
    deliver_access_logs(run, False)
    assert answer.code == 0, answer
    counted = LAST_LINE.fullmatch(answer.output.splitlines()[-1])
    assert counted
    removed, rewritten, looked_at, left = map(int, counted.groups())
    assert left == 0
    assert looked_at >= len([item for item in stored(run) if item.bucket != log_bucket(run)])
    assert removed > 8
    assert rewritten > 5
    assert naming(run, "p-gone", *gone, logs=True) == set()
    assert ledger_naming(deployed, *gone) == set()
    assert re.search(r"^ledger items +[1-9]", answer.output, re.MULTILINE)
    uploads = run.s3.list_multipart_uploads(Bucket=deployed.media).get("Uploads", ())
    assert upload["UploadId"] not in [item["UploadId"] for item in uploads]
    transcribe = deployed.client("transcribe")
    assert transcribe.list_medical_transcription_jobs(JobNameContains=gone[0])["MedicalTranscriptionJobSummaries"] == []

    # Objects that named both were rewritten; the other patient's own objects are unchanged.
    assert naming(run, *stays) == of_the_other
    assert ledger_naming(deployed, *stays) == items_of_the_other
    assert any(key.startswith("entity-jobs/") for _, _, key in (name.partition("/") for name in of_the_other))
    assert len(run.records("p-stays")) == 2
    assert len(run.records("p-030")) == 1
    after = json.loads(run.clinical(f"batches/{plan['batch_id']}/plan.json"))
    users = [item["user_id"] for item in after["recordings"] + after["rejected"]]
    assert (users.count("p-gone"), users.count("p-stays")) == (0, 2)
    page = run.clinical(f"batches/{plan['batch_id']}/report.html")
    assert "p-stays/visit.wav" in page
    assert "</html>" in page
    log = run.s3.get_object(Bucket=log_bucket(run), Key=logged)["Body"].read().decode()
    assert log.count("user/ann") == 3
    assert log.count("media/p-stays/visit.wav") == 2
    seeds = run.s3.list_objects_v2(Bucket=deployed.audience, Prefix="seeds/").get("Contents", ())
    bodies = [run.s3.get_object(Bucket=deployed.audience, Key=item["Key"])["Body"].read() for item in seeds]
    assert any(b'"p-stays"' in seed for seed in bodies)
    suppressed = run.s3.get_object(Bucket=deployed.audience, Key=SUPPRESSION_KEY)["Body"].read().decode()
    assert "p-gone" in suppressed.splitlines()

    clear_access_logs(run)

    # The audiences with them were reported, and are found again for their deletion.
    arns = set(re.findall(r"arn:aws:cleanrooms-ml:[^\s,]+(?<!\.)", answer.output))
    assert arns
    again = operate("forget", "p-gone", "--yes", "--audiences", "--json")
    assert (again.code, again.json["removed"], again.json["rewritten"]) == (0, {"audiences": len(arns)}, {})
    assert list(again.json) == json_keys("`forget`")
    generations = deployed.client("cleanroomsml").list_audience_generation_jobs()["audienceGenerationJobs"]
    assert not arns & {job["audienceGenerationJobArn"] for job in generations}

    # The next batch makes a seed without them.
    later = run.start(prefix=f"s3://{deployed.media}/media/p-stays/")
    (cohort,) = [item for item in run.summary(later)["audiences"] if item["cohort"] == "hypertension"]
    bucket, _, key = cohort["seed_uri"].removeprefix("s3://").partition("/")
    seeded = run.s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    assert '"p-stays"' in seeded
    assert '"p-gone"' not in seeded


def test_why_a_job_of_several_failed_stays_without_the_name_of_their_document(
    run: Run, deployed: Deployed, operate: Command
) -> None:
    run.drop("media/p-failed/visit.wav", b"no sound")
    head = run.s3.head_object(Bucket=deployed.media, Key="media/p-failed/visit.wav")
    media = digest(deployed.media, "media/p-failed/visit.wav", head["VersionId"])
    reason = {"Message": f"cannot write s3://{deployed.clinical}/entities/1/{media}-0000.txt.out: AccessDenied"}
    key = "batches/by-hand/jobs/entity_detection/1.json"
    run.s3.put_object(Bucket=deployed.clinical, Key=key, Body=json.dumps(reason).encode())
    run.execution_of(f"s3://{deployed.media}/media/p-failed/visit.wav")
    answer = operate("forget", "p-failed", "--yes")
    assert answer.code == 0, answer.output
    assert json.loads(run.clinical(key)) == {"Message": "cannot write forgotten AccessDenied"}


def test_what_it_does_not_know_is_left_and_told(run: Run, deployed: Deployed, operate: Command) -> None:
    planted: dict[str, tuple[bytes, dict[str, str]]] = {
        "notes/who.txt": (b"we saw p-planted yesterday", {}),
        "notes/p-planted.txt": (b"", {}),
        "notes/other.txt": (b"", {"patient": "p-planted"}),
        "documents/x/somebody.txt": (b"about p-planted", {}),
        "batches/by-hand/more.json": (b'{"of": "p-planted"}', {}),
        "batches/by-hand/broken.json": (b'{"of": "p-planted"', {}),
    }
    not_theirs = {"notes/them.txt": b"p-planted-2, xp-planted", "batches/by-hand/other.json": b'"of p-planted, 2"'}
    for key, (content, metadata) in planted.items():
        run.s3.put_object(Bucket=deployed.clinical, Key=key, Body=content, Metadata=metadata)
    for key, content in not_theirs.items():
        run.s3.put_object(Bucket=deployed.clinical, Key=key, Body=content)
    dynamodb, item = deployed.client("dynamodb"), {"pk": {"S": "execution#p-planted"}}
    dynamodb.put_item(TableName=deployed.ledger, Item=item)
    try:
        answer = operate("forget", "p-planted", "--yes", "--json")
    finally:
        dynamodb.delete_item(TableName=deployed.ledger, Key=item)
        for version in list_versions(run.s3, deployed.clinical):
            if version.key in planted or version.key in not_theirs:
                run.s3.delete_object(Bucket=version.bucket, Key=version.key, VersionId=version.version_id)
    assert answer.code == 1
    left = {uri.removeprefix(f"s3://{deployed.clinical}/").partition(" (version ")[0] for uri in answer.json["left"]}
    assert left == {*planted, f"the item execution#p-planted of the table {deployed.ledger}"}


class SuppressionList:
    def __init__(self, run: Run, deployed: Deployed) -> None:
        self._s3, self._bucket = run.s3, deployed.audience

    def read(self) -> bytes:
        body: bytes = self._s3.get_object(Bucket=self._bucket, Key=SUPPRESSION_KEY)["Body"].read()
        return body

    def write(self, body: bytes) -> None:
        self._s3.put_object(Bucket=self._bucket, Key=SUPPRESSION_KEY, Body=body)


@pytest.fixture
def listed(run: Run, deployed: Deployed) -> Iterator[SuppressionList]:
    """The suppression list, empty for the test and restored afterwards."""
    suppression = SuppressionList(run, deployed)
    try:
        before = suppression.read()
    except run.s3.exceptions.NoSuchKey:
        before = b""
    suppression.write(b"")
    yield suppression
    suppression.write(before)


def test_a_user_id_that_nothing_names_is_refused_and_those_it_may_be_meant_for_are_named(
    run: Run, deployed: Deployed, operate: Command, plan: dict[str, Any]
) -> None:
    before = stored(run)
    for mistyped, suggested in (
        ("P-Stays", " Did you mean p-stays?"),
        ("p-5tays", ""),
        ("p-0O1", " Did you mean p-001?"),
    ):
        for how in ("--yes", "--dry-run"):
            answer = operate("forget", mistyped, how)
            assert answer.code == 1
            assert f"names the user id {mistyped}, so nothing was changed.{suggested} To keep" in answer.error
            assert f"s3://{deployed.audience}/{SUPPRESSION_KEY}" in answer.error
    assert stored(run) == before


def test_who_was_forgotten_or_suppressed_before_may_be_forgotten_again(
    run: Run, operate: Command, listed: SuppressionList
) -> None:
    run.execution_of(run.drop("media/p-twice/visit.wav", b""))
    assert operate("forget", "p-twice", "--yes").code == 0
    again = operate("forget", "p-twice", "--yes", "--json")
    assert (again.code, again.json["removed"], again.json["rewritten"], again.json["left"]) == (0, {}, {}, [])
    by_hand = "\u201cp-advance\u201d;\r\n".encode()
    listed.write(by_hand)
    assert operate("forget", "p-advance", "--dry-run").code == 0
    assert operate("forget", "p-advance", "--yes").code == 0
    assert listed.read() == by_hand


def test_a_patient_in_several_spellings_goes_as_one(
    run: Run, deployed: Deployed, operate: Command, listed: SuppressionList
) -> None:
    composed, decomposed = "p-Ren\u00e9e", "p-Rene\u0301e"
    folders = (composed, decomposed, f"{composed},")
    said = run.engines.recording("Patient has hypertension.")
    uris = [run.drop(f"media/{folder}/visit.wav", said, consent=True) for folder in folders]
    other = run.drop("media/p-Renee/visit.wav", said)
    for uri in [*uris, other]:
        run.execution_of(uri)
    # As written before user ids had a canonical spelling, and by other programs.
    old = {"batch_id": "old", "rejected": [{"media_id": "0" * 32, "user_id": decomposed, "uri": uris[1]}]}
    run.s3.put_object(Bucket=deployed.clinical, Key="batches/old/plan.json", Body=json.dumps(old).encode())
    run.s3.put_object(Bucket=deployed.clinical, Key="queries/2.csv", Body=f'"{decomposed}"\n'.encode())
    run.s3.create_multipart_upload(Bucket=deployed.media, Key=f"media/{decomposed}/long.wav")
    kept = naming(run, "p-Renee")
    listed.write("p-first\r\n".encode("utf-16"))

    answer = operate("forget", decomposed, "--yes")
    assert answer.code == 0, answer
    assert answer.output.endswith(" 0 left\n")
    escaped = [json.dumps(folder)[1:-1] for folder in folders]
    assert naming(run, *folders, *escaped, "0" * 32) == set()
    assert naming(run, "p-Renee") == kept
    assert listed.read().decode("utf-8-sig").splitlines() == ["p-first", composed]
    assert "Uploads" not in run.s3.list_multipart_uploads(Bucket=deployed.media)
    again = operate("forget", composed, "--yes", "--json")
    assert (again.code, again.json["removed"], again.json["rewritten"]) == (0, {}, {})


def test_a_list_that_is_not_certain_is_repaired_before_anybody_is_forgotten(
    run: Run, deployed: Deployed, operate: Command, listed: SuppressionList
) -> None:
    uri = run.drop("media/p-waits/visit.wav", b"")
    run.execution_of(uri)
    listed.write(b"p-1\np-2,2026-01-01\n")
    before = stored(run)
    answer = operate("forget", "p-waits", "--yes")
    assert answer.code == 1
    assert re.match(rf"s3://{deployed.audience}/{SUPPRESSION_KEY} .* Line 2 has .* Then forget again\.", answer.error)
    assert stored(run) == before
    listed.write(b"p-1\n")
    assert operate("forget", "p-waits", "--yes").code == 0


def test_whom_no_line_can_name_is_forgotten_all_the_same(run: Run, operate: Command, listed: SuppressionList) -> None:
    run.execution_of(run.drop("media/p\u2028gone/visit.wav", b"x"))
    answer = operate("forget", "p\u2028gone", "--yes")
    assert answer.code == 0
    assert "has the character U+2028" in answer.output
    assert listed.read() == b""
    assert naming(run, "p\u2028gone", "p\\u2028gone") == set()


def test_a_proof_finds_what_a_removal_forgot(
    run: Run, deployed: Deployed, operate: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.s3.put_object(Bucket=deployed.clinical, Key="media/p-half/copy.wav", Body=b"x")
    with monkeypatch.context() as patch:
        patch.setattr(removal, "remove_whole", lambda *_: 0)
        answer = operate("forget", "p-half", "--yes")
    assert answer.code == 1
    assert "Left: s3://" in answer.output
    assert answer.output.endswith("1 left\n")
    assert operate("forget", "p-half", "--yes").code == 0
    assert naming(run, "p-half") == set()


def test_an_execution_that_holds_them_is_waited_for(run: Run, deployed: Deployed, operate: Command) -> None:
    run.engines.seconds_per_job = 0.6
    uri = run.drop("media/p-busy/visit.wav", run.engines.recording("Patient has fever."))
    run.until(lambda: any(uri in item["input"] for item in run.executions()))
    (name,) = [item["name"] for item in run.executions() if uri in item["input"]]
    answer = operate("forget", "p-busy", "--yes")
    assert answer.code == 1
    assert f"The execution {name} holds recordings of p-busy and is running" in answer.error
    assert run.s3.head_object(Bucket=deployed.media, Key="media/p-busy/visit.wav")
    run.execution_of(uri)
    assert operate("forget", "p-busy", "--yes").code == 0


def test_a_function_that_a_stopped_execution_has_left_behind_is_waited_for(
    run: Run, deployed: Deployed, operate: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.engines.seconds_per_job = 0.6
    transcribe = deployed.client("transcribe")

    def jobs() -> list[Any]:
        listed = transcribe.list_medical_transcription_jobs(Status="IN_PROGRESS")
        return list(listed["MedicalTranscriptionJobSummaries"])

    uri = run.drop("media/p-halted/visit.wav", run.engines.recording("Patient has fever."))
    run.until(lambda: bool(jobs()))
    (execution,) = [item for item in run.executions() if uri in item["input"]]
    deployed.client("stepfunctions").stop_execution(executionArn=execution["executionArn"])
    # Deleting a running job is refused.
    run.until(lambda: not jobs())

    def an_hour_goes_by(seconds: float) -> None:
        assert seconds == pytest.approx(3600, abs=60)
        monkeypatch.setattr(at_work, "_LONGEST_LOCAL_RUN", timedelta(0))

    monkeypatch.setattr(at_work, "_LONGEST_LOCAL_RUN", timedelta(hours=1))
    assert operate("forget", "p-halted", "--dry-run").code == 0
    monkeypatch.setattr(at_work, "sleep", an_hour_goes_by)
    answer = operate("forget", "p-halted", "--yes")
    assert answer.code == 0, answer
    waited, *_ = answer.output.splitlines()
    assert re.fullmatch(rf"Waiting until [\d:]+: the execution {execution['name']} has ended, but .*", waited)


def test_what_was_started_while_somebody_was_asked_is_noticed_before_anything_is_removed(
    run: Run, deployed: Deployed
) -> None:
    run.execution_of(run.drop("media/p-asked/visit.wav", b""))
    found = forgetting.plan_removal(deployed, ["p-asked"], silent, silent)
    run.engines.seconds_per_job = 0.6
    uri = run.drop("media/p-asked/more.wav", run.engines.recording("Patient has fever."))
    run.until(lambda: any(uri in item["input"] for item in run.executions()))
    with pytest.raises(OperationError, match=r"was started or stopped meanwhile\. Nothing is removed yet"):
        forgetting.forget(deployed, found, silent, delete_audiences=False)
    assert run.s3.head_object(Bucket=deployed.media, Key="media/p-asked/visit.wav")
    run.execution_of(uri)


class Cut(Exception):
    pass


def test_what_was_cut_off_is_finished_by_the_next_run(
    run: Run, deployed: Deployed, operate: Command, plan: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = ids_of(plan, "p-cut")
    for may_be_rewritten in (0, 3):
        written: list[str] = []

        def cut(
            s3: Any, version: Version, *rest: Any, most: int = may_be_rewritten, done: Any = written, **more: Any
        ) -> None:
            if len(done) >= most:
                raise Cut
            done.append(version.key)
            replace(s3, version, *rest, **more)

        with monkeypatch.context() as patch:
            patch.setattr("operations.forgetting.removal.replace", cut)
            found = forgetting.plan_removal(deployed, ["p-cut"], silent, silent)
            with pytest.raises(Cut):
                forgetting.forget(deployed, found, silent, delete_audiences=False)
    assert naming(run, *ids)
    answer = operate("forget", "p-cut", "--yes")
    assert answer.code == 0, answer.output
    assert naming(run, "p-cut", *ids, logs=True) == set()


def test_several_patients_go_in_one_pass_and_those_between_them_stay(
    run: Run, deployed: Deployed, operate: Command
) -> None:
    said = run.engines.recording("Patient has fever.")
    media = [run.drop(f"media/p-many-{number}/visit.wav", said) for number in (1, 2, 3)]
    for uri in media:
        run.execution_of(uri)
    run.summary(run.start(media=media))
    stays = naming(run, "p-many-2")
    logged = access_log(run, *(f"media/p-many-{number}/visit.wav" for number in (1, 2, 3)))
    answer = operate("forget", "p-many-3", "p-many-1", "--yes")
    assert (answer.code, answer.output.splitlines()[-1].endswith(" 0 left")) == (0, True), answer
    assert naming(run, "p-many-1", "p-many-3", logs=True) == set()
    assert naming(run, "p-many-2") == stays
    log = run.s3.get_object(Bucket=log_bucket(run), Key=logged)["Body"].read().decode()
    assert (log.count("forgotten"), log.count("media/p-many-2/visit.wav")) == (4, 2)


def test_one_patient_who_is_unknown_stops_the_forgetting_of_all(run: Run, operate: Command) -> None:
    run.execution_of(run.drop("media/p-known/visit.wav", b""))
    answer = operate("forget", "p-known", "p-knwon", "--yes")
    assert answer.code == 1
    assert "names the user id p-knwon, so nothing was changed." in answer.error
    assert naming(run, "p-known")
    assert operate("forget", "p-known", "--yes").code == 0


def test_a_patient_to_whom_no_item_leads_is_found_by_the_search(run: Run, deployed: Deployed, operate: Command) -> None:
    """As of executions before there were such items, of which even the recording has expired."""
    uri = run.drop("media/p-before/visit.wav", run.engines.recording("Patient has fever."))
    run.execution_of(uri)
    ledger.delete_items(deployed, [found.item for found in ledger.namings(deployed, ["p-before"])])
    for version in list_versions(run.s3, deployed.media, "media/p-before/"):
        run.s3.delete_object(Bucket=deployed.media, Key=version.key, VersionId=version.version_id)
    ids = [digest(deployed.media, "media/p-before/visit.wav")]
    access_log(run, f"records/{ids[0]}.jsonl")
    before = naming(run, "p-before")
    assert len(before) >= 5
    answer = operate("forget", "p-before", "--yes", "--json")
    assert (answer.code, answer.json["left"]) == (0, [])
    assert sum(answer.json["removed"].values()) > 5
    assert naming(run, "p-before", *ids, logs=True) == set()
    assert ledger_naming(deployed, *ids) == set()


def test_what_else_is_in_the_media_bucket_is_read_with_the_rights_of_who_forgets(
    run: Run, deployed: Deployed, operate: Command
) -> None:
    run.execution_of(run.drop("media/p-reads/visit.wav", b""))
    bodies = {"README": b"of this bucket", "who.txt": b"p-reads was here"}
    try:
        for key, body in bodies.items():
            run.s3.put_object(Bucket=deployed.media, Key=key, Body=body)
        answer = operate("forget", "p-reads", "--yes", "--json")
    finally:
        for version in list_versions(run.s3, deployed.media):
            if version.key in bodies:
                run.s3.delete_object(Bucket=version.bucket, Key=version.key, VersionId=version.version_id)
    assert answer.code == 1
    assert [uri.partition(" (")[0] for uri in answer.json["left"]] == [f"s3://{deployed.media}/who.txt"]


def test_an_audit_reads_what_a_proof_leaves_to_its_own_patient(run: Run, deployed: Deployed, operate: Command) -> None:
    """Records with two patients' lines: nothing of ours writes them."""
    run.execution_of(run.drop("media/p-audited/visit.wav", b""))
    key = f"records/{digest('by', 'hand')}.jsonl"
    lines = [{"user_id": user_id, "text": "fever"} for user_id in ("p-audited", "p-somebody")]
    run.s3.put_object(Bucket=deployed.clinical, Key=key, Body="\n".join(map(json.dumps, lines)).encode())
    assert operate("forget", "p-audited", "--yes").code == 0
    before = stored(run)
    answer = operate("audit", "p-audited")
    assert answer.code == 1
    found, last = answer.output.splitlines()
    assert f"s3://{deployed.clinical}/{key} (version" in found
    assert re.fullmatch(r"audit: \d+ looked at, 1 name them", last)
    assert stored(run) == before
    for version in list_versions(run.s3, deployed.clinical, key):
        run.s3.delete_object(Bucket=version.bucket, Key=version.key, VersionId=version.version_id)
    answer = operate("audit", "p-audited", "--json")
    assert (answer.code, list(answer.json), answer.json["found"]) == (0, json_keys("`audit`"), [])


def test_what_an_interrupted_search_has_left_behind_is_deleted_by_the_next_one(
    run: Run, deployed: Deployed, operate: Command
) -> None:
    run.execution_of(run.drop("media/p-search/visit.wav", b""))
    key = "searches/search-interrupted/request.json"
    run.s3.put_object(Bucket=deployed.clinical, Key=key, Body=b'{"user_ids": ["p-search"]}')
    assert operate("forget", "p-search", "--yes").code == 0
    assert naming(run, "p-search") == set()


def test_a_search_that_fails_proves_nothing_and_says_where_to_look(
    run: Run, deployed: Deployed, operate: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.execution_of(run.drop("media/p-unproven/visit.wav", b""))

    def broken(*given: Any) -> Any:
        return {**request(*given), "user_ids": None}

    with monkeypatch.context() as patch:
        patch.setattr("operations.forgetting.searching.request", broken)
        answer = operate("forget", "p-unproven", "--yes")
    assert answer.code == 1
    assert re.match(r"The search arn:aws:states:\S+:search-\S+ is FAILED, so nothing is proven", answer.error)
    assert operate("forget", "p-unproven", "--yes").code == 0
    assert [item.key for item in stored(run) if item.key.startswith("searches/")] == []


def test_the_kinds_that_are_searched_are_those_that_exist(run: Run, deployed: Deployed) -> None:
    """The removal knows the kind of every object that the pipeline has written."""
    everything = len(stored(run)) + len(ledger_naming(deployed))
    for scope in get_args(Scope):
        found = searching.search(deployed, Traces(["p-nobody"]), scope, silent)
        assert found.described == []
        # The search's own request, ranges and parts are there too.
        assert scope == "logs" or everything < found.looked_at < everything + 20
    buckets = deployed.buckets
    unknown = {item.key for item in stored(run) if category_of(buckets, item.bucket, item.key).kind == "others"}
    assert unknown == set()
