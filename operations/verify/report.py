"""The findings of a verification: a table, a JSON document, and a file that can be attached to an issue."""

import platform
import re
from collections import Counter
from pathlib import Path
from typing import Any

import botocore
from rich.console import Console
from rich.text import Text

from operations.deployed import Deployed
from operations.verify.checks import Finding, Verdict
from operations.verify.verification import Verification

_STYLES = {Verdict.HOLDS: "green", Verdict.REFUTED: "bold red", Verdict.NOT_SEEN: "yellow"}
_ACCOUNT = re.compile(r"(?<!\d)\d{12}(?!\d)")
# In an ARN of IAM or STS, the account is followed by user, role and session, which often are people's names.
_PRINCIPAL = re.compile(r"(arn:[\w-]+:(?:iam|sts)::[^:\s]*:)[^\s,;)'\"]+")


def without_names(text: str, deployed: Deployed | None) -> str:
    """`text` without account numbers, principals and bucket names, so that it may be published."""
    named = deployed.buckets._asdict() if deployed else {}
    buckets = {name: f"{kind.upper()}-BUCKET" for kind, name in named.items()}
    for name in sorted(buckets, key=len, reverse=True):
        text = text.replace(name, buckets[name])
    return _ACCOUNT.sub("ACCOUNT", _PRINCIPAL.sub(r"\1PRINCIPAL", text))


def document(verification: Verification) -> dict[str, Any]:
    """The findings for scripts, names included."""
    counted = Counter(found.verdict for found in verification.findings)
    return {
        "environment": verification.environment,
        "region": verification.region,
        "began_at": verification.began,
        "ended_at": verification.ended,
        "counts": {verdict.value: counted[verdict] for verdict in Verdict},
        "points": [{**found._asdict(), "verdict": found.verdict.value} for found in verification.findings],
    }


def print_table(verification: Verification, console: Console) -> None:
    """Print a line for each point (cut to the width of a terminal), the remedies for refuted points, and the counts."""
    width = max(len(found.point) for found in verification.findings)
    for found in verification.findings:
        line = Text.assemble(
            f"{found.point:{width}}  ", (f"{found.verdict:8}", _STYLES[found.verdict]), f"  {_one_line(found.evidence)}"
        )
        console.print(
            line, no_wrap=True, overflow="ellipsis" if console.is_terminal else "ignore", crop=console.is_terminal
        )
    for found in verification.refuted:
        console.print(f"\n{found.point} is refuted: {found.claim}\n  {found.evidence}\n  What to do: {found.remedy}")
    console.print(f"\n{counts(verification)}\ndocs/aws.md lists the points that rest on AWS's documents alone.")


def counts(verification: Verification) -> str:
    counted = Counter(found.verdict for found in verification.findings)
    return f"verify: {', '.join(f'{counted[verdict]} {verdict}' for verdict in Verdict)}"


def write(verification: Verification, deployed: Deployed | None, path: Path, *, with_names: bool) -> None:
    """Write the report as Markdown, without names unless they are asked for.

    Raises:
        OSError: the file can't be written.
    """
    lines = [
        f"# Verification of {verification.environment}",
        "",
        f"{verification.region}, {verification.began:%Y-%m-%d %H:%M} to {verification.ended:%H:%M} UTC; Python "
        f"{platform.python_version()}, botocore {botocore.__version__}. {counts(verification)}.",
        "",
        "| point | verdict | expected | evidence |",
        "|---|---|---|---|",
        *(_row(found) for found in verification.findings),
    ]
    lines += ["", "## What to do", ""] if verification.refuted else []
    lines += [f"- **{found.point}**: {found.remedy}" for found in verification.refuted]
    text = "\n".join(lines) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text if with_names else without_names(text, deployed))


def _row(found: Finding) -> str:
    cells = (found.point, f"**{found.verdict}**", found.claim, found.evidence)
    return "| " + " | ".join(_one_line(cell).replace("|", "\\|") for cell in cells) + " |"


def _one_line(text: str) -> str:
    return " ".join(text.split())
