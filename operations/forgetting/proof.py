"""The proof: searches everything that is stored for the patient.

It reads every version of every object in every bucket (key, metadata and content) and every item of the ledger, except
the contents of other patients' recordings, which this application never writes. A trace that can't be attributed to
somebody else counts as left.
"""

import re
from collections.abc import Iterator
from typing import Any

from lambdas.shared.parallel import mapped
from operations.deployed import Deployed
from operations.forgetting import layout, ledger
from operations.forgetting.known import Known, Tick
from operations.forgetting.survey import Object, names_them
from operations.forgetting.versions import list_versions, metadata_of, pieces, read

_MEDIA_ID = re.compile(rb"[0-9a-f]{32}")


def leftovers(deployed: Deployed, known: Known, tick: Tick) -> tuple[list[str], int]:
    """What is left of the patient, as URIs and descriptions, and how many versions and items were read.

    Raises:
        botocore.exceptions.ClientError: something can't be read, so there is no proof.
    """
    s3 = deployed.client("s3")
    left, looked_at = ledger.leftovers(deployed, known.traces)
    tick(looked_at)

    def everything() -> Iterator[Object]:
        ours = (deployed.media, deployed.clinical, deployed.audience)
        # Access logs first: reading the other buckets may add logs, which name nobody.
        for bucket in sorted(deployed.buckets, key=ours.__contains__):
            for version in list_versions(s3, bucket):
                yield Object(version, layout.category_of(deployed, bucket, version.key))

    for found, is_left in mapped(lambda item: (item, _is_left(s3, item, known)), everything()):
        looked_at += 1
        tick(1)
        if is_left:
            left.append(found.version.uri)
    return left, looked_at


def _is_left(s3: Any, found: Object, known: Known) -> bool:
    version, traces = found.version, known.traces
    if _in_key(found, known):
        return True
    if version.is_marker or found.category.content == "suppression":
        return False
    if found.category.content == "recording":
        return traces.in_json(dict(metadata_of(s3, version)))
    if found.category.content == "speech":
        return traces.anywhere_in(pieces(s3, version), words=not _is_of_another(version.key, known))
    if found.category.content in ("unknown", "query result"):
        return traces.anywhere_in(pieces(s3, version), words=True)
    content = read(s3, version)
    if content is None:
        return False
    if traces.in_json(dict(content.metadata)):
        return True
    try:
        return names_them(traces, found.category, content)
    except ValueError:
        return traces.anywhere(content.body)  # the content isn't of its kind


def _in_key(found: Object, known: Known) -> bool:
    traces, key = known.traces, found.version.key
    if traces.owns(key):
        return True
    if found.category.content == "recording":
        return False  # another patient's recording
    if found.category.content == "unknown":
        return traces.anywhere(key.encode())
    execution = layout.execution_of(key)
    return execution is not None and traces.anywhere(execution.encode())


def _is_of_another(key: str, known: Known) -> bool:
    """Whether the key names another patient's recording, in which the user id may be spoken as a word."""
    return any(identifier in known.other_recordings for identifier in _MEDIA_ID.findall(key.encode()))
