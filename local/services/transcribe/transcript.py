"""The transcript file of a medical job, in the shape the Transcribe developer guide shows."""

from collections.abc import Iterable, Sequence
from typing import Any

from local.engines.speech import Word

from .utterances import Utterance

Item = dict[str, Any]


def transcript(job_name: str, account_id: str, words: Sequence[Word], labels: dict[str, Any]) -> dict[str, Any]:
    """The file's content. ``labels``: the further members of ``results`` that the job's settings ask for."""
    results = {"transcripts": [{"transcript": text_of(words)}], "items": items_of(words), **labels}
    return {"jobName": job_name, "accountId": account_id, "results": results, "status": "COMPLETED"}


def channel_labels(channels: Iterable[Sequence[Word]]) -> dict[str, Any]:
    """``results.channel_labels`` of a job with ChannelIdentification: each channel's own items.

    Source: developer guide of Transcribe Medical, "Transcribing multi-channel audio".
    """
    return {
        "channels": [
            {"channel_label": f"ch_{number}", "items": items_of(words)} for number, words in enumerate(channels)
        ]
    }


def speaker_labels(utterances: Iterable[Utterance], speakers: Sequence[int]) -> dict[str, Any]:
    """``results.speaker_labels`` of a job with ShowSpeakerLabels; ``speakers`` has one number for each word, in order.

    Source: developer guide of Transcribe Medical, "Enabling speaker partitioning in batch transcriptions". Only words
    are labelled, punctuation is not.
    """
    labels = iter(f"spk_{speaker}" for speaker in speakers)
    segments = []
    for utterance in utterances:
        items = [{**_times([word]), "speaker_label": next(labels)} for word in utterance]
        segments.append({**_times(utterance), "speaker_label": items[0]["speaker_label"], "items": items})
    return {"speakers": len(set(speakers)), "segments": segments}


def alternative_segments(utterances: Iterable[Utterance]) -> list[dict[str, Any]]:
    """``results.segments`` of a job with ShowAlternatives: each utterance as in the transcript, then as first heard.

    Source: Transcribe's developer guide, "Alternative transcriptions"; that of Transcribe Medical shows no output. Two
    are the fewest that MaxAlternatives allows and the most there ever are here.
    """
    segments = []
    for utterance in utterances:
        first_heard = [word for final in utterance for word in ((final,) if final.heard is None else final.heard)]
        # If a term's second or later word begins an utterance, the recognizer's wording is at its first word.
        readings = [utterance] if first_heard in (utterance, []) else [utterance, first_heard]
        segments.append({**_times(utterance), "alternatives": [_alternative(reading) for reading in readings]})
    return segments


def text_of(words: Iterable[Word]) -> str:
    return " ".join(word.text + word.punctuation for word in words)


def items_of(words: Iterable[Word]) -> list[Item]:
    """Pronunciation and punctuation items. Times and confidence are strings; a punctuation mark has no time."""
    items: list[Item] = []
    for word in words:
        items.append(
            {
                **_times([word]),
                "type": "pronunciation",
                "alternatives": [{"confidence": f"{word.confidence:.4f}", "content": word.text}],
            }
        )
        if word.punctuation:
            items.append({"type": "punctuation", "alternatives": [{"confidence": "0.0", "content": word.punctuation}]})
    return items


def _alternative(words: Sequence[Word]) -> dict[str, Any]:
    """A reading of a segment; unlike the transcript's items, its items have no list of alternatives."""
    items = [
        {**{name: value for name, value in item.items() if name != "alternatives"}, **item["alternatives"][0]}
        for item in items_of(words)
    ]
    return {"transcript": text_of(words), "items": items}


def _times(words: Sequence[Word]) -> dict[str, str]:
    return {"start_time": f"{words[0].start:.2f}", "end_time": f"{words[-1].end:.2f}"}
