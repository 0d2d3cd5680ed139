"""The transcript file of a medical job, in the shape the Transcribe developer guide shows."""

from collections.abc import Iterable, Sequence
from typing import Any

from local.engines.speech import Word

Item = dict[str, Any]


def transcript(
    job_name: str, account_id: str, words: Sequence[Word], entities: list[dict[str, Any]] | None
) -> dict[str, Any]:
    """The file's content for one voice track. ``entities``: identified PHI, None when it was not asked for."""
    results: dict[str, Any] = {"transcripts": [{"transcript": text_of(words)}], "items": items_of(words)}
    if entities is not None:
        results["entities"] = entities
    return {"jobName": job_name, "accountId": account_id, "results": results, "status": "COMPLETED"}


def channel_labels(channels: Iterable[Sequence[Word]]) -> dict[str, Any]:
    """``results.channel_labels`` of a job with ChannelIdentification: each channel's own items."""
    return {
        "channels": [
            {"channel_label": f"ch_{number}", "items": items_of(words)} for number, words in enumerate(channels)
        ]
    }


def text_of(words: Iterable[Word]) -> str:
    return " ".join(word.text + word.punctuation for word in words)


def items_of(words: Iterable[Word]) -> list[Item]:
    """Pronunciation and punctuation items. Times and confidence are strings; a punctuation mark has no time."""
    items: list[Item] = []
    for word in words:
        items.append(
            {
                "start_time": f"{word.start:.2f}",
                "end_time": f"{word.end:.2f}",
                "type": "pronunciation",
                "alternatives": [{"confidence": f"{word.confidence:.4f}", "content": word.text}],
            }
        )
        if word.punctuation:
            items.append({"type": "punctuation", "alternatives": [{"confidence": "0.0", "content": word.punctuation}]})
    return items
