"""A rehearsal among real patients' recordings, and one that is cut off."""

from typing import Any

import pytest

from local.pipeline import Pipeline
from operations.deployed import Deployed
from operations.environments import environment_of
from operations.following import media_of
from operations.verify import rehearsal, verification
from operations.verify.account import Account
from operations.verify.observed import Observed
from operations.verify.rehearsal import TEST_PATIENT, Steps
from tests.operations.verify.conftest import PATIENCE_SECONDS


@pytest.fixture
def observed(deployed: Deployed) -> Observed:
    return rehearsal.nothing_yet(deployed, environment_of("local"))


def silent(step: str) -> None:
    pass


def left_of_the_patient(pipeline: Pipeline) -> list[str]:
    listed = pipeline.aws.client("s3").list_object_versions(Bucket=pipeline.media_bucket)
    return [version["Key"] for version in listed.get("Versions", ())]


def test_a_batch_with_others_recordings_is_not_stopped(observed: Observed, monkeypatch: pytest.MonkeyPatch) -> None:
    others = "s3://media/media/p-001/visit.wav"
    monkeypatch.setattr(rehearsal, "media_of", lambda deployed, arn: {*media_of(deployed, arn), others})
    rehearsal.rehearse(observed, PATIENCE_SECONDS, silent)
    assert observed.worked is not None
    assert (observed.worked.status, observed.worked.redrives, observed.redriven) == ("SUCCEEDED", 0, False)
    assert "others' recordings" in observed.trouble["redrive"]
    rehearsal.forget(observed, silent)
    assert observed.outcome is not None and not observed.outcome.left


def test_the_patient_is_forgotten_when_the_rehearsal_is_cut_off(
    deployed: Deployed, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_off(self: Any, arns: list[str]) -> None:
        assert left_of_the_patient(pipeline) == [
            f"media/{TEST_PATIENT}/no-sound.mp3",
            f"media/{TEST_PATIENT}/usable.wav",
        ]
        raise KeyboardInterrupt

    monkeypatch.setattr(Steps, "work", cut_off)
    account = Account(deployed.connection, environment_of("local"))
    with pytest.raises(KeyboardInterrupt):
        verification.verify(account, deployed, "local", (), PATIENCE_SECONDS, silent)
    assert left_of_the_patient(pipeline) == []


def test_a_drop_that_nobody_takes_up_is_started_by_hand(
    observed: Observed, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = pipeline.aws.client("events")
    events.disable_rule(Name="clinical-media-local-recordings")
    try:
        rehearsal.rehearse(observed, 10, silent)
    finally:
        events.enable_rule(Name="clinical-media-local-recordings")
    assert observed.trouble["events"] == "No execution has taken up 2 of the two recordings."
    assert observed.succeeded
    rehearsal.forget(observed, silent)
    assert left_of_the_patient(pipeline) == []
