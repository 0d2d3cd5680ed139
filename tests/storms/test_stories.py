"""The stories that storms have found, one each, as short as they became."""

from tests.storms.history import play
from tests.storms.story import Deed


def test_what_an_execution_writes_that_is_redriven_after_its_patient_was_forgotten_names_nobody() -> None:
    """Its transcription fails; then the recording is gone, which is a rejection that no item leads to."""
    deeds = [Deed(103, "upload", "b", "long"), Deed(107, "upload", "b", "long"), Deed(898, "forget", "b")]
    history = play(38, deeds)
    assert any("transcription" in fault for fault in history.faults)
    assert "redriven" in history.log
    assert history.violations == []
