"""The page of a recording: its transcript, its findings, and a player that follows the text."""

from collections import Counter
from collections.abc import Sequence

from lambdas.report.findings import findings_html
from lambdas.report.labels import clock, counted, escape, kind_of, percent
from lambdas.report.marks import places_of
from lambdas.report.page import page
from lambdas.report.transcript import UNSURE_BELOW, transcript_html
from lambdas.shared.entity_record import EntityRecord
from lambdas.shared.state import PlannedRecording
from lambdas.shared.uris import parse_uri
from lambdas.transcript.words import Words


def recording_page(recording: PlannedRecording, words: Words, records: Sequence[EntityRecord], complete: bool) -> str:
    """The page of a planned recording as HTML.

    `records` are the recording's lines of `records/`; `complete` is False if entity detection did not see the whole
    text. The page's title has only the transcript's id, because browsers store titles.
    """
    records = sorted(records, key=in_order)
    in_text = {place.number for place in places_of(records, len(words.text)) if not place.is_attribute}
    _, key = parse_uri(recording["uri"])
    body = f"""<a class="skip" href="#text">Skip to the transcript</a>
<header>
<p class="over">Transcript and findings</p>
<h1>{escape(key.split("/", 2)[2])}</h1>
<ul class="facts">{facts(recording, words, records)}</ul>
{"" if complete else INCOMPLETE}
</header>
{PLAYER}
<div class="columns">
<aside aria-label="Findings">
{filters(records)}
<section id="details" aria-labelledby="details-heading" aria-live="polite">
<h2 id="details-heading">Details <button type="button" id="close" hidden>Close</button></h2>
<p id="hint">Point at a marked word, or go there with the Tab key. Enter or a click pins its details here, Escape closes
them.</p>
<ul id="shown"></ul>
</section>
</aside>
<main id="text" tabindex="-1" aria-labelledby="text-heading">
<h2 id="text-heading" class="hidden">Transcript</h2>
<div id="transcript">
{transcript_html(words, records)}</div>
<section aria-labelledby="findings-heading">
<h2 id="findings-heading">All findings</h2>
<ul id="findings">
{findings_html(records, in_text)}</ul>
{"" if records else "<p>Nothing was found in this recording.</p>"}
</section>
</main>
</div>
<footer><p>Made by machines: words and findings need a clinician's eye. This page is clinical data; keep it as
carefully as the recording.</p>
<p><code>{escape(recording["transcript_id"])}</code></p></footer>
"""
    return page(f"Transcript {recording['transcript_id'][:8]}", body)


INCOMPLETE = """<p class="notice" role="note"><strong>Incomplete.</strong> Entity detection did not see the whole
transcript: findings are missing.</p>"""

KEY = f"""<details class="key"><summary>What the marks mean</summary>
<ul>
<li><span class="found">words</span> a finding, in its category's colour</li>
<li><span class="found denied">words</span> said not to be so; “family”, “past”, “hypothetical”, “future” and
“uncertain” are written beside the words, too</li>
<li><span class="found detail">words</span> a detail of a finding, such as a dose</li>
<li><b>+1</b> one more finding in the same words</li>
<li><span class="unsure">words</span> heard with less than {percent(UNSURE_BELOW)} confidence</li>
</ul></details>"""

PLAYER = """<section id="player" aria-label="Recording">
<audio id="audio" controls preload="metadata" hidden></audio>
<details id="source"><summary>Listen to the recording</summary>
<p>Choose the recording on this computer, or give its address; a presigned one will do. Then a click on a word plays
from there.</p>
<div class="row"><label for="file">File</label>
<input id="file" type="file" accept="audio/*,video/mp4,video/webm"></div>
<form id="address" class="row"><label for="url">Address</label>
<input id="url" type="text" inputmode="url" autocomplete="off" spellcheck="false" placeholder="https://…">
<button type="submit">Load</button></form>
</details>
<p id="trouble" role="status"></p>
</section>"""


def in_order(record: EntityRecord) -> tuple[bool, int, int]:
    """The sort key of records: by place in the text, records without a place last."""
    begin, end = record.begin_offset, record.end_offset
    return (begin is None, begin or 0, -(end or 0))


def facts(recording: PlannedRecording, words: Words, records: Sequence[EntityRecord]) -> str:
    listed = [f"Patient {recording['user_id']}", f"Uploaded {recording['uploaded_at'][:10]}"]
    if words.words:
        listed.append(f"{clock(max(word.end_seconds for word in words.words))} long")
    listed.append(counted(len(words.words), "word", "words"))
    listed.append(counted(len(records), "finding", "findings"))
    listed.append("Consent to audiences" if recording["audience_consent"] else "No consent to audiences")
    return "".join(f"<li>{escape(fact)}</li>" for fact in listed)


def filters(records: Sequence[EntityRecord]) -> str:
    """A checkbox per category of the findings, the most frequent first, and one for unsure words."""
    number = Counter(kind_of(record.category) for record in records)
    boxes = "".join(
        f'<li><label class="{kind.name}"><input type="checkbox" name="kind" value="{kind.name}" checked>'
        f'<span class="swatch"></span>{escape(kind.label)}</label> <span class="count">{count:,}</span></li>\n'
        for kind, count in number.most_common()
    )
    return f"""<form id="filter" aria-label="What is marked">
<details open><summary>Marked</summary>
<ul>
{boxes}<li><label><input type="checkbox" id="mark-unsure" checked><span class="unsure">Unsure words</span></label></li>
</ul>
<p><button type="button" id="all" aria-label="All categories">All</button>
<button type="button" id="none" aria-label="None of the categories">None</button>
<span id="count" role="status"></span></p>
{KEY}
</details></form>"""
