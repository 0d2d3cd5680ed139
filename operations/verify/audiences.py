"""Checks the newest audience that the environment has generated; the rehearsal itself generates none.

Sources: API references of ListAudienceGenerationJobs and GetAudienceGenerationJob; Clean Rooms user guide, "IAM
behaviors for Clean Rooms ML".
"""

from lambdas.shared.jobs import is_ours
from operations.verify.checks import Check, Seen, holds, not_seen, refuted
from operations.verify.observed import Observed


def _audience(observed: Observed) -> Seen:
    model = observed.environment.configured_audience_model_arn
    if model is None:
        return not_seen("The environment has no configured audience model.")
    client = observed.client("cleanroomsml")
    pages = client.get_paginator("list_audience_generation_jobs").paginate()
    ours = [
        job
        for page in pages
        for job in page["audienceGenerationJobs"]
        if job["name"].startswith(f"{observed.prefix}-") and job["configuredAudienceModelArn"] == model
    ]
    if not ours:
        return not_seen(f"No audience of {model} was generated yet; it needs 25 patients who consent.")
    newest = max(ours, key=lambda job: job["createTime"])
    evidence = f"{newest['audienceGenerationJobArn']} is {newest['status']}"
    if newest["status"] == "ACTIVE":
        return holds(evidence)
    if newest["status"] == "CREATE_FAILED":
        described = client.get_audience_generation_job(audienceGenerationJobArn=newest["audienceGenerationJobArn"])
        reason = described.get("statusDetails", {}).get("message", "")
        # Any other reason is about the seed, such as too few people who are in the training data.
        if is_ours(reason):
            return refuted(f"{evidence}: {reason}")
    return not_seen(evidence)


CHECKS: tuple[Check[Observed], ...] = (
    Check(
        "audience",
        "Clean Rooms ML reads the seed with its role and generates the audience, also with another account's model.",
        "Look at the reason in the batch's summary; send us this report if it is about the role or permissions.",
        _audience,
    ),
)
