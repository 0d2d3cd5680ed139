"""Clean Rooms ML's rules for StartAudienceGenerationJob, beyond the SDK's model of it.

Source: https://docs.aws.amazon.com/cleanrooms-ml/latest/APIReference/API_StartAudienceGenerationJob.html, with its
types. There all kinds of seeds are optional; a rule marked "Derived" follows from the members' descriptions.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from botocore.model import StructureShape

from lambdas.rules.sdk_model import broken_constraints, given, kind_of, without
from lambdas.rules.tags import tag_problems

SERVICE = "cleanroomsml"
OPERATION: Final = "StartAudienceGenerationJob"
SET_BY_PIPELINE = frozenset({"name", "seedAudience"})
# Members of a query's seed; the others come from cdk.json.
SEED_SET_BY_PIPELINE = frozenset({"roleArn", "dataSource"})


def settings_problems(parameters: Any, shape: StructureShape) -> list[str]:
    """One sentence per setting of cdk.json or an input that the service or the pipeline refuses.

    `shape` is the SDK's model of the request. Missing members are no problem, because the pipeline adds them.
    """
    settings, refused = without(SET_BY_PIPELINE, parameters, operation=OPERATION)
    broken = broken_constraints(shape, settings, operation=OPERATION, complete=False)
    return [*refused, *broken, *_rules_of_tags(settings)]


def seed_audience_problems(seed_audience: Any, shape: StructureShape) -> list[str]:
    """One sentence per problem in the `seedAudience` of a query's cohort; paths are relative to it.

    `shape` is the SDK's model of the whole request.
    """
    if not isinstance(seed_audience, Mapping):
        return [f"seedAudience is {kind_of(seed_audience)}; {OPERATION} takes an object."]
    seed, refused = without(SEED_SET_BY_PIPELINE, seed_audience, operation="seedAudience")
    seed_shape = shape.members["seedAudience"]
    assert isinstance(seed_shape, StructureShape)
    broken = broken_constraints(seed_shape, seed, operation=OPERATION, complete=False)
    missing = [] if "sqlParameters" in given(seed) else ["sqlParameters is missing; a cohort of SQL needs its query."]
    return [*refused, *broken, *missing, *_rules_of_queries(given(seed), "")]


def request_problems(request: Any, shape: StructureShape) -> list[str]:
    """One sentence per member of a complete request that the service would refuse; no sentence quotes a query."""
    broken = broken_constraints(shape, request, operation=OPERATION)
    return [*broken, *_rules_of_tags(request), *_rules_of_seeds(request)]


def _rules_of_tags(request: Any) -> list[str]:
    keys = [key for key in given(given(request).get("tags")) if isinstance(key, str)]
    named = [(f"tags (key {position + 1})", key) for position, key in enumerate(keys)]
    return tag_problems(named, path="tags", operation=OPERATION)


def _rules_of_seeds(request: Any) -> Iterator[str]:
    members = given(request)
    if not isinstance(members.get("seedAudience"), Mapping):
        return
    seed = given(members["seedAudience"])
    # Derived: an audience resembles one seed.
    if ("dataSource" in seed) == ("sqlParameters" in seed):
        which = "both" if "dataSource" in seed else "neither"
        yield f"seedAudience has {which} of dataSource and sqlParameters; {OPERATION} takes exactly one of them."
    yield from _rules_of_queries(seed, "seedAudience.")
    # Derived: a protected query runs in a collaboration, on behalf of one of its members.
    if "sqlParameters" in seed and "collaborationId" not in members:
        yield f"collaborationId is missing; {OPERATION} needs it for seedAudience.sqlParameters."


def _rules_of_queries(seed: Mapping[str, Any], prefix: str) -> Iterator[str]:
    if isinstance(seed.get("sqlParameters"), Mapping):
        query = given(seed["sqlParameters"])
        # Derived: an analysis template is a query.
        if ("queryString" in query) == ("analysisTemplateArn" in query):
            which = "both" if "queryString" in query else "neither"
            yield (
                f"{prefix}sqlParameters has {which} of queryString and analysisTemplateArn; "
                f"{OPERATION} takes exactly one of them."
            )
    # Derived: sqlComputeConfiguration configures "the instances that will perform the compute work" of the query.
    if "sqlComputeConfiguration" in seed and "sqlParameters" not in seed:
        yield f"{prefix}sqlComputeConfiguration is given without sqlParameters; {OPERATION} takes it for a query only."
