"""Groups words into utterances: the words of one speaker without a longer pause."""

from collections.abc import Sequence

from local.engines.speech import Word

Utterance = list[Word]

# The guides say "natural pauses" and give no length.
_PAUSE_SECONDS = 0.5


def utterances(words: Sequence[Word], speakers: Sequence[int] | None = None) -> list[Utterance]:
    """The words of one channel, cut at pauses and, if `speakers` are given, at changes of speaker."""
    cut: list[Utterance] = []
    for position, word in enumerate(words):
        goes_on = (
            position > 0
            and word.start - words[position - 1].end <= _PAUSE_SECONDS
            and (speakers is None or speakers[position] == speakers[position - 1])
        )
        if goes_on:
            cut[-1].append(word)
        else:
            cut.append([word])
    return cut


def in_turn(channels: Sequence[Sequence[Word]]) -> list[Utterance]:
    """The utterances of all channels in the order in which they begin, each in one piece even where two overlap."""
    return sorted(
        (utterance for words in channels for utterance in utterances(words)), key=lambda utterance: utterance[0].start
    )
