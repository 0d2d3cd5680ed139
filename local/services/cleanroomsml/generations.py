"""Starts and deletes a generation job, which belongs to two accounts if the model is another account's.

The job is the caller's; the account of the model's owner sees it as a `SharedJob`.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from local.services.cleanroomsml import collaboration, jobs, validation
from local.services.cleanroomsml.errors import ConflictException
from local.services.cleanroomsml.registry import add, check_quota, find
from local.services.cleanroomsml.resources import PENDING, GenerationJob, SharedJob, State

if TYPE_CHECKING:
    from local.services.cleanroomsml.models import CleanRoomsMLBackend

# "Quotas for Clean Rooms ML" in the AWS Clean Rooms user guide.
GENERATION_JOBS_IN_PROGRESS = 10


def start(backend: "CleanRoomsMLBackend", request: Mapping[str, Any], caller_arns: Sequence[str]) -> GenerationJob:
    """Start to generate an audience; `caller_arns` are the caller's names in another account's policy.

    Raises ValidationException for an SQL seed, for too many tags with those of the configured model and for a
    collaboration of which not both accounts are members, AccessDeniedException for another account's model that
    its policy does not share, ServiceQuotaExceededException while ten others are in progress.
    """
    collaboration_id = request.get("collaborationId")
    validation.check_seed_source(request["seedAudience"], collaboration_id)
    backend.check_role(request["seedAudience"]["roleArn"])
    model_arn = request["configuredAudienceModelArn"]
    owner = backend.owner_of(model_arn)
    if owner is not backend:
        caller = collaboration.Caller(backend.account_id, caller_arns)
        policy = owner.model_policies.get(model_arn)
        collaboration.check_owner_allows(policy, model_arn, caller, collaboration_id)
    configured = find(owner.configured_audience_models, model_arn)
    if collaboration_id:
        collaboration.check_members(collaboration_id, backend.region_name, (backend.account_id, owner.account_id))
    inherits = configured.request["childResourceTagOnCreatePolicy"] == "FROM_PARENT_RESOURCE"
    parent_tags = configured.request.get("tags", {}) if inherits else {}
    tags = (parent_tags if owner is backend else {}) | request.get("tags", {})
    validation.check_tags(tags)
    job = GenerationJob(
        backend.new_arn("audience-generation-job"),
        {"includeSeedInOutput": False, **request},
        State(PENDING),
        configured,
        backend.account_id,
        tags,
    )
    with backend.lock:
        check_quota(
            "Audience generation jobs in progress", GENERATION_JOBS_IN_PROGRESS, backend.generation_jobs.values()
        )
        add(backend.generation_jobs, job)
    if owner is not backend:
        shared = SharedJob(job, parent_tags)
        owner.shared_jobs[shared.arn] = shared
    jobs.start(jobs.generate_audience, job)
    return job


def delete(backend: "CleanRoomsMLBackend", arn: str) -> None:
    """Forget a job and its exports at once, in both of its accounts; exported files stay.

    Raises ConflictException if one is in progress.
    """
    with backend.lock:
        job = backend.started(arn)
        accounts = {backend.owner_of(job.arn), backend.owner_of(job.configured_model.arn)}
        exports = [e for account in accounts for e in list(account.export_jobs.values()) if e.generation_job is job]
        if busy := [resource for resource in (job, *exports) if resource.in_progress]:
            raise ConflictException(f"{arn} cannot be deleted: {busy[0].name} is {busy[0].state.status}")
        for account in accounts:
            account.generation_jobs.pop(job.arn, None)
            account.shared_jobs.pop(SharedJob(job, {}).arn, None)
            for export in exports:
                account.export_jobs.pop(export.arn, None)
