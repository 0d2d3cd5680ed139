"""`python -m tests.attack`: attack the deployed stack with its own roles and with crafted inputs; ends with 1 if
anything was let through that should not be, or refused that should not be."""

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.progress import Progress

from tests.attack.inputs import attack_executions, attack_functions, attack_keys, crafted_invocations, crafted_requests
from tests.attack.jobs import attack_jobs, jobs
from tests.attack.ledger import attack_queries
from tests.attack.matrix import Verdict, attack_as_roles, attack_trust, controls
from tests.attack.probes import probes
from tests.attack.stage import stage
from tests.attack.uploads import attack_uploads


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.attack", description=__doc__)
    parser.parse_args()
    console = Console(highlight=False)
    verdicts: list[Verdict] = []
    with stage() as deployed, Progress(console=console, transient=True) as progress:
        calls = probes(deployed)
        bar = progress.add_task("attack", total=len(calls) * len(deployed.roles))
        for verdict in attack_as_roles(deployed, calls):
            verdicts.append(verdict)
            progress.advance(bar)
        verdicts += attack_queries(deployed)
        verdicts += attack_trust(deployed)
        verdicts += attack_executions(deployed, list(crafted_requests(deployed)))
        verdicts += attack_keys(deployed)
        verdicts += attack_functions(deployed, list(crafted_invocations(deployed)))
        verdicts += attack_uploads(deployed)
        verdicts += attack_jobs(deployed, list(jobs(deployed)))
        # Last, since nothing is left of the stage then.
        verdicts += [Verdict("controls", "", "", "wrong", problem) for problem in controls(deployed, calls)]
    for line in [*matrix(verdicts, list(deployed.roles)), *summary(verdicts, list(deployed.roles))]:
        console.print(line, markup=False, soft_wrap=True)
    for verdict in verdicts:
        if verdict.problem:
            console.print(verdict.problem, markup=False, style="red", soft_wrap=True)
    counts = Counter(verdict.outcome for verdict in verdicts)
    console.print(
        f"attack: {counts.total()} tried, {counts['allowed']} allowed as intended, {counts['refused']} refused, "
        f"{counts['wrong']} wrong",
        soft_wrap=True,
    )
    return 1 if counts["wrong"] else 0


def matrix(verdicts: Iterable[Verdict], roles: list[str]) -> Iterator[str]:
    """A line for each role: how many rights it has in each area, and `!` with what is wrong there."""
    counts: dict[tuple[str, str], Counter[str]] = {}
    for verdict in verdicts:
        counts.setdefault((verdict.who, verdict.area), Counter())[verdict.outcome] += 1
    areas = list(dict.fromkeys(area for who, area in counts if who in roles))
    width = max(map(len, roles))
    yield "  ".join(["allowed".ljust(width), *areas, "refused"])
    for role in roles:
        of_role = {area: counts.get((role, area), Counter()) for area in areas}
        cells = [cell(of_role[area]).rjust(len(area)) for area in areas]
        refused = sum(of_role[area]["refused"] for area in areas)
        yield "  ".join([role.ljust(width), *cells, str(refused).rjust(len("refused"))])


def cell(counts: Counter[str]) -> str:
    return (str(counts["allowed"]) if counts["allowed"] else ".") + (f"!{counts['wrong']}" if counts["wrong"] else "")


def summary(verdicts: Iterable[Verdict], roles: list[str]) -> Iterator[str]:
    """A line for each kind of crafted input."""
    counts: dict[str, Counter[str]] = {}
    for verdict in verdicts:
        if verdict.who not in roles:
            counts.setdefault(verdict.who, Counter())[verdict.outcome] += 1
    for who, of_kind in counts.items():
        yield f"{who}: " + ", ".join(f"{number} {outcome}" for outcome, number in sorted(of_kind.items()))


if __name__ == "__main__":
    sys.exit(main())
