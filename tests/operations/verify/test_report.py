from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from lambdas.searching.categories import Buckets
from operations.deployed import Connection, Deployed
from operations.verify import report
from operations.verify.checks import Finding, Verdict
from operations.verify.verification import Verification

ACCOUNT = "111122223333"
MACHINE = f"arn:aws:states:us-east-1:{ACCOUNT}:stateMachine:clinical-media-dev-pipeline"
DEPLOYED = Deployed(
    Connection(SimpleNamespace(), None),
    "clinical-media-dev",
    Buckets(*(f"st-marys-{name}" for name in ("media-1", "clinical-2", "audience-3", "operations-4", "logs-5"))),
    "st-marys-ledger",
    "st-marys-members",
    MACHINE,
    {},
)
MOMENT = datetime(2026, 11, 26, 12, tzinfo=UTC)


def verification(*findings: Finding) -> Verification:
    return Verification("dev", "us-east-1", MOMENT, MOMENT, list(findings))


def found(evidence: str, verdict: Verdict = Verdict.HOLDS, **changes: Any) -> Finding:
    remedy = "Change it." if verdict is Verdict.REFUTED else None
    return Finding("events", "It has to be so.", verdict, evidence, remedy)._replace(**changes)


@pytest.mark.parametrize(
    ("evidence", "written"),
    [
        (f"{MACHINE} is fine", MACHINE.replace(ACCOUNT, "ACCOUNT") + " is fine"),
        (f"account {ACCOUNT}", "account ACCOUNT"),
        (
            f"as arn:aws:sts::{ACCOUNT}:assumed-role/Admin/jane.doe@st-marys.example, request 1",
            "as arn:aws:sts::ACCOUNT:PRINCIPAL, request 1",
        ),
        (f"arn:aws:iam::{ACCOUNT}:user/jane", "arn:aws:iam::ACCOUNT:PRINCIPAL"),
        ("s3://st-marys-clinical-2/queries/x.csv", "s3://CLINICAL-BUCKET/queries/x.csv"),
        ("st-marys-media-1, st-marys-logs-5", "MEDIA-BUCKET, ACCESS_LOGS-BUCKET"),
        ("version 1234567890123 and job 12345678901", "version 1234567890123 and job 12345678901"),
    ],
)
def test_the_file_names_neither_account_nor_people_nor_buckets(evidence: str, written: str, tmp_path: Path) -> None:
    report.write(verification(found(evidence)), DEPLOYED, tmp_path / "out" / "report.md", with_names=False)
    text = (tmp_path / "out" / "report.md").read_text()
    assert f"| {written} |" in text
    assert ACCOUNT not in text and "st-marys" not in text and "jane" not in text


def test_names_are_written_when_they_are_asked_for(tmp_path: Path) -> None:
    report.write(verification(found(MACHINE)), DEPLOYED, tmp_path / "report.md", with_names=True)
    assert MACHINE in (tmp_path / "report.md").read_text()


def test_what_to_do_is_in_the_file_for_what_is_refuted_only(tmp_path: Path) -> None:
    report.write(verification(found("as expected")), None, tmp_path / "good.md", with_names=False)
    report.write(verification(found("other", Verdict.REFUTED)), None, tmp_path / "bad.md", with_names=False)
    assert "What to do" not in (tmp_path / "good.md").read_text()
    assert "- **events**: Change it." in (tmp_path / "bad.md").read_text()


def test_evidence_of_several_lines_stays_one_row(tmp_path: Path) -> None:
    report.write(verification(found("a | b\nc")), None, tmp_path / "report.md", with_names=False)
    assert "| a \\| b c |" in (tmp_path / "report.md").read_text()


def test_a_screen_shows_a_line_for_each_point_and_the_counts(capsys: pytest.CaptureFixture[str]) -> None:
    findings = (found("x" * 300), found("y", Verdict.REFUTED, point="map-children"), found("z", Verdict.NOT_SEEN))
    report.print_table(verification(*findings), Console(soft_wrap=True, width=80))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["events", "holds", "x" * 300], "whole, for a log"
    assert lines[1].split() == ["map-children", "refuted", "y"]
    assert lines[-2] == "verify: 1 holds, 1 refuted, 1 not seen"
    assert "What to do: Change it." in "\n".join(lines)


def test_a_line_ends_where_a_terminal_does(capsys: pytest.CaptureFixture[str]) -> None:
    report.print_table(verification(found("x" * 300)), Console(force_terminal=True, color_system=None, width=80))
    first = capsys.readouterr().out.splitlines()[0]
    assert len(first) <= 80 and first.endswith("…")
