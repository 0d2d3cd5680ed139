"""What Amazon Transcribe and Clean Rooms ML document alike about the tags of a job."""

from collections import Counter
from collections.abc import Sequence

from lambdas.rules.sdk_model import shown

# The SDK's models let 200 pass. https://docs.aws.amazon.com/transcribe/latest/dg/tagging.html, and the `tags` of
# https://docs.aws.amazon.com/cleanrooms-ml/latest/APIReference/API_StartAudienceGenerationJob.html
MOST_TAGS = 50
RESERVED_PREFIX = "aws:"


def tag_problems(keys: Sequence[tuple[str, str]], *, path: str, operation: str) -> list[str]:
    """What is wrong with a job's tags: a sentence each, none if nothing is.

    Args:
        keys: each tag's key, after the path that a sentence calls it by.
        path: of all the tags.
    """
    problems = []
    if len(keys) > MOST_TAGS:
        problems.append(f"{path} has {len(keys)} tags; {operation} takes up to {MOST_TAGS}.")
    for where, key in keys:
        if key.lower().startswith(RESERVED_PREFIX):
            problems.append(f"{where} is {shown(key)}; keys that begin with {RESERVED_PREFIX} are reserved for AWS.")
    # Case counts: "Team" and "team" are two keys.
    for key, count in Counter(key for _, key in keys).items():
        if count > 1:
            problems.append(f"{path} has the key {shown(key)} {count} times; {operation} takes each key once.")
    return problems
