"""The output at the end of the demonstration."""

from collections import Counter
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from local.results import Results

STANDARD_TRANSITION_USD = 0.000025  # Step Functions price page, us-east-1


def print_results(results: Results, console: Console) -> None:
    print_excerpt(results, console)
    console.rule("Rejected recordings", align="left")
    for item in results.recordings:
        if item.rejected:
            console.print(f"{item.uri}\n    {item.rejected}", highlight=False, markup=False)
    if not any(item.rejected for item in results.recordings):
        console.print("none")
    console.rule("Cohorts", align="left")
    for audience in results.audiences:
        print_audience(audience, console)
    console.rule("Files", align="left")
    transcribed = sum(item.transcript is not None for item in results.recordings)
    rejected = len(results.recordings) - transcribed
    console.print(f"{transcribed} transcripts, {len(results.entities)} entities, {rejected} rejected", highlight=False)
    for name in ("transcripts/", "entities.jsonl", "rejected.jsonl", "audiences.json", "summary.json"):
        console.print(f"  {results.folder / name}", highlight=False, markup=False)
    for summary in results.summaries:
        page = results.folder / "batches" / summary["batch_id"] / "report.html"
        console.print(f"  {page}", highlight=False, markup=False)
    console.print("make open opens the newest report in a browser.")


def print_excerpt(results: Results, console: Console) -> None:
    """The transcript with the most entities: negated ones struck through, the others underlined."""
    number = Counter(row["media_id"] for row in results.entities)
    transcribed = [item for item in results.recordings if item.transcript]
    if not transcribed:
        return
    chosen = max(transcribed, key=lambda item: number[item.media_id])
    assert chosen.transcript
    entities = [row for row in results.entities if row["media_id"] == chosen.media_id]
    console.rule("A transcript and its entities", align="left")
    console.print(f"{chosen.uri}\n", highlight=False, markup=False)
    console.print(highlighted(chosen.transcript.read_text().removesuffix("\n"), entities))
    table = Table("second", "entity", "category", "traits and attributes", box=None, padding=(0, 2, 0, 0))
    for row in sorted(entities, key=lambda row: int(row["begin_offset"])):
        second = "" if row["start_seconds"] is None else f"{row['start_seconds']:.1f}"
        more = [item["name"] for item in row["traits"]]
        more += [f"{item['type']} {item['text']}" for item in row["attributes"]]
        table.add_row(*map(Text, (second, row["text"], row["category"], ", ".join(more))))
    console.print()
    console.print(table)


def print_audience(audience: dict[str, Any], console: Console) -> None:
    if "reason" in audience:
        console.print(f"{audience['cohort']}: no audience. {audience['reason']}", highlight=False, markup=False)
        return
    console.print(f"{audience['cohort']}: seed of {audience['seed_size']} consenting people", highlight=False)
    metrics = audience["metrics"] or {}
    for metric in metrics.get("relevanceMetrics", ()):
        size = metric["audienceSize"]
        unit = " %" if size["type"] == "PERCENTAGE" else " people"
        score = metric.get("score", 0)
        console.print(f"    audience of {size['value']}{unit}: relevance {score:.2f}", highlight=False)
    if "recallMetric" in metrics:
        console.print(f"    recall {metrics['recallMetric']:.2f}", highlight=False)
    if audience["export_refused"]:
        console.print(f"    not exported: {audience['export_refused']}", highlight=False, markup=False)
    if audience["export_uri"]:
        console.print(f"    exported to {audience['export_uri']}", highlight=False, markup=False)
    for reason in audience["not_visible"].values():
        console.print(f"    not visible: {reason}", highlight=False, markup=False)


def highlighted(transcript: str, entities: list[dict[str, Any]]) -> Text:
    text = Text(transcript)
    for row in entities:
        negated = any(trait["name"] == "NEGATION" for trait in row["traits"])
        text.stylize("bold strike" if negated else "bold underline", row["begin_offset"], row["end_offset"])
    return text


def print_cost(results: Results, state_transitions: int, console: Console) -> None:
    console.rule("What the same batch would cost on AWS (us-east-1, list prices)", align="left")
    costs = [summary["cost_usd"] for summary in results.summaries]
    rows = {
        "Transcribe Medical": sum(cost["transcribe_medical"] for cost in costs),
        "Comprehend Medical": sum(cost["comprehend_medical"] for cost in costs),
        f"Step Functions ({state_transitions} state transitions)": state_transitions * STANDARD_TRANSITION_USD,
    }
    for name, usd in [*rows.items(), ("together", sum(rows.values()))]:
        console.print(f"  {usd:8.4f} USD  {name}", highlight=False)
    console.print(
        "  Not included: Clean Rooms ML, which is charged by the size of the model owner's data; Lambda, S3, DynamoDB, "
        "KMS."
    )


def transitions(stepfunctions: Any, state_machine_arn: str) -> int:
    """State transitions of all executions and their children, as Standard workflows are billed."""
    parents = stepfunctions.list_executions(stateMachineArn=state_machine_arn)["executions"]
    arns = [item["executionArn"] for item in parents]
    for arn in list(arns):
        for run in stepfunctions.list_map_runs(executionArn=arn)["mapRuns"]:
            pages = stepfunctions.get_paginator("list_executions").paginate(mapRunArn=run["mapRunArn"])
            arns += [child["executionArn"] for page in pages for child in page["executions"]]
    history = stepfunctions.get_paginator("get_execution_history")
    return sum(
        event["type"].endswith("StateEntered") or event["type"] == "ExecutionStarted"
        for arn in arns
        for page in history.paginate(executionArn=arn)
        for event in page["events"]
    )
