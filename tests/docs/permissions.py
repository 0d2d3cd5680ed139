"""The table of docs/security.md that says what each function may do: `python -m tests.docs.permissions` writes it anew.

Rights and purposes come from infra/permissions.py, resources from the synthesized template.
"""

import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from infra.cdk_json import read_context
from infra.environment import Environment
from infra.functions import FUNCTIONS, pascal_case
from tests.infra.conftest import Deployed, synthesized

PAGE = Path("docs/security.md")
HEADING = "| function | permission | resource | why |\n|---|---|---|---|\n"
# How the page calls what an ARN names. A stack has one of each.
NAMES = {
    r"\*": "*",
    r"Ingest/Queue\.Arn": "queue",
    r"Ledger/Table\.Arn": "ledger",
    r"Ledger/Members\.Arn": "members",
    r"Storage/AccessLogs\.Arn": "access logs",
    r"Storage/AccessLogs\.Arn/\*": "access logs/*",
    r"DataAccessRoles/.*": "its data-access role",
    r"arn:aws:states:.*:stateMachine:.*": "state machine",
    r"arn:aws:states:.*:execution:.*": "executions",
    r"arn:aws:states:.*:mapRun:.*": "map runs",
    r"arn:aws:transcribe:.*:medical-transcription-job/\*": "medical transcription jobs",
    r"arn:aws:cleanrooms-ml:.*:audience-generation-job/\*": "audience generation jobs",
    r"arn:aws:cleanrooms-ml:.*:configured-audience-model/.*": "the configured audience model",
}


def table(deployed: Deployed) -> str:
    """Per function, a row for each set of resources and purposes: of statements with the same actions, all together."""
    return HEADING + "".join(row for function in FUNCTIONS for row in _rows(deployed, function))


def _rows(deployed: Deployed, function: str) -> Iterator[str]:
    from infra.roles import ExactPolicy

    path = f"Functions/{pascal_case(function)}/Policy"
    functions = deployed.stack.node.find_child("Functions").node
    policy = functions.find_child(pascal_case(function)).node.find_child("Policy")
    assert isinstance(policy, ExactPolicy)
    purposes = {statement.sid: statement.purpose for statement in policy.given}
    merged: dict[tuple[str, ...], tuple[dict[str, None], dict[str, None]]] = {}
    for statement in deployed.statements(path):
        if statement["Sid"] == "WriteOwnLog":
            continue
        actions, resources = (
            [value] if isinstance(value, str) else value for value in (statement["Action"], statement["Resource"])
        )
        keys = statement.get("Condition", {}).get("ForAllValues:StringLike", {}).get("dynamodb:LeadingKeys")
        names, why = merged.setdefault(tuple(actions), ({}, {}))
        table = "members" if "Ledger/Members.Arn" in resources else "ledger"
        names |= dict.fromkeys([f"{table}/{key}" for key in keys] if keys else map(name_of, resources))
        why |= dict.fromkeys(purposes[statement["Sid"]].split("; "))
    rows: dict[tuple[str, str], list[str]] = {}
    for actions, (names, why) in merged.items():
        rows.setdefault((quoted(names), "; ".join(why)), []).extend(actions)
    for (resources, purpose), actions in rows.items():
        yield f"| `{function}` | {quoted(actions)} | {resources} | {purpose} |\n"


def name_of(resource: str) -> str:
    """A resource of the template as the page calls it."""
    if stored := re.fullmatch(r"Storage/(\w+)/(Bucket|Key)\.Arn(/.*)?", resource):
        store, kind, objects = stored.groups()
        return f"{store.lower()} key" if kind == "Key" else store.lower() + (objects or "")
    (name,) = [name for pattern, name in NAMES.items() if re.fullmatch(pattern, resource)]
    return name


def quoted(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def with_table(page: str, new: str) -> str:
    """The page with the table replaced: it ends at the first empty line."""
    before, _, rest = page.partition(HEADING)
    return before + new + "\n" + rest.partition("\n\n")[2]


def synthesize(folder: Path) -> Deployed:
    """The environment with an audience model."""
    from aws_cdk import App

    from infra.stack import PipelineStack

    context = read_context() | {"aws:cdk:enable-path-metadata": True}
    environment = Environment.from_context("local", context)
    return synthesized(PipelineStack(App(context=context, outdir=str(folder)), environment=environment))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        PAGE.write_text(with_table(PAGE.read_text(), table(synthesize(Path(folder)))))
