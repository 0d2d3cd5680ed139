"""The rules for a job's tags that Amazon Transcribe and Clean Rooms ML share."""

from collections import Counter
from collections.abc import Sequence

from lambdas.rules.sdk_model import shown

# The SDK's models allow 200. https://docs.aws.amazon.com/transcribe/latest/dg/tagging.html, and the `tags` of
# https://docs.aws.amazon.com/cleanrooms-ml/latest/APIReference/API_StartAudienceGenerationJob.html
MOST_TAGS = 50
RESERVED_PREFIX = "aws:"


def tag_problems(keys: Sequence[tuple[str, str]], *, path: str, operation: str) -> list[str]:
    """One sentence per broken rule of a job's tags.

    Args:
        keys: (path, key) of each tag.
        path: the path of the whole collection of tags.
    """
    problems = []
    if len(keys) > MOST_TAGS:
        problems.append(f"{path} has {len(keys)} tags; {operation} takes up to {MOST_TAGS}.")
    for where, key in keys:
        if key.lower().startswith(RESERVED_PREFIX):
            problems.append(f"{where} is {shown(key)}; keys that begin with {RESERVED_PREFIX} are reserved for AWS.")
    # Keys are case-sensitive: "Team" and "team" are two keys.
    for key, count in Counter(key for _, key in keys).items():
        if count > 1:
            problems.append(f"{path} has the key {shown(key)} {count} times; {operation} takes each key once.")
    return problems
