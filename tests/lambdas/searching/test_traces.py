"""Text that names patients, and text that only resembles it."""

import html
import json
from urllib.parse import quote

import pytest

from lambdas.searching.traces import Traces

ID = "0123456789abcdef" * 2
OTHER_ID = "f" * 32


@pytest.mark.parametrize("user_id", ["p-001", "17", "Ann & Bob", 'a"b', "müller", "x.y", "50%"])
def test_a_path_of_theirs_is_found_however_it_is_written(user_id: str) -> None:
    traces = Traces([user_id])
    path = f"s3://bucket/media/{user_id}/visit.wav"
    for spelt in (path, json.dumps(path), html.escape(path), quote(path), quote(path, safe=""), quote(quote(path))):
        assert traces.certain(f"x {spelt} y".encode()), spelt
    assert not traces.certain(f"s3://bucket/media/{user_id}-2/visit.wav".encode())


def test_a_derived_id_is_found_in_a_name_made_of_it_and_inside_longer_digits() -> None:
    traces = Traces(["p-1"], [ID])
    for text in (ID, f"clinical-media-dev-{ID}-0a1b2c3d-1", f"aa{ID}bb", f"%2f{ID}%2f"):
        assert traces.certain(text.encode())
    for text in (OTHER_ID, ID[:-1], ID.upper()):
        assert not traces.certain(text.encode())


def test_a_user_id_that_is_a_number_or_a_word_is_not_found_in_other_values() -> None:
    assert not Traces(["17"]).in_json({"score": 17, "at": "2026-11-24T17:17:17", "text": "17 mg", "pressure": "120/17"})
    assert Traces(["17"]).in_json({"recordings": [{"user_id": "17"}]})
    assert Traces(["17"]).in_json({"17": 1})
    assert not Traces(["demo"]).in_line({"user_id": "p-2", "text": "demo", "media_uri": "s3://b/media/p-2/demo"})
    assert Traces(["demo"]).in_line({"user_id": "demo"})
    assert Traces(["demo"]).in_line({"document": "demo"})
    page = b'<td class="number">17</td><li>Patient 18</li><a href="x">18/a.wav</a> 17 received'
    assert not Traces(["17"]).in_page(page)
    assert Traces(["18"]).in_page(page)
    assert Traces(["18"]).in_page(b"<li>Patient 18</li>")


def test_somebody_elses_longer_id_is_not_theirs() -> None:
    traces = Traces(["p.1"], others=["p.1.b", "a p.1"])
    assert not traces.anywhere(b"p.1.b, a p.1, p.12, xp.1")
    assert traces.anywhere(b"p.1.b, p.1")
    assert traces.anywhere(b"[p.1]")


@pytest.mark.parametrize("cut", [1, 2, 3, 7, 64])
def test_content_in_pieces_is_searched_as_a_whole(cut: int) -> None:
    def pieces(content: bytes) -> list[bytes]:
        return [content[start : start + cut] for start in range(0, len(content), cut)]

    traces = Traces(["p-1"], [ID])
    filler = b"." * 40
    for content in (b"p-1", b"p-1" + filler, filler + b"p-1", filler + b"p-1" + filler):
        assert traces.anywhere_in(pieces(content), words=True), content
        assert not traces.anywhere_in(pieces(content), words=False)
    for content in (b"p-10" + filler, filler + b"xp-1", filler + b"p-1-b" + filler):
        assert not traces.anywhere_in(pieces(content), words=True), content
    assert traces.anywhere_in(pieces(filler + ID.encode() + filler), words=False)


def test_every_spelling_of_their_name_is_theirs() -> None:
    composed, decomposed, odd = "Jos\u00e9", "Jose\u0301", "Jos\u00e9,"
    traces = Traces([composed], seen=[odd])
    for name in (composed, decomposed, odd):
        path = f"s3://bucket/media/{name}/visit.wav"
        for spelt in (path, json.dumps(path), quote(path), quote(quote(path, safe=""))):
            assert traces.certain(spelt.encode()), spelt
        assert traces.owns(f"media/{name}/visit.wav")
        assert traces.in_json({"patient": name})
        assert traces.in_line({"user_id": name})
        assert traces.in_page(f"<li>Patient {name}</li>".encode())
        assert traces.anywhere(f"we saw {name} yesterday".encode())
    assert not traces.owns("media/Jose/visit.wav")
    assert not traces.in_line({"user_id": "jos\u00e9"})


def test_a_name_without_its_accent_is_somebody_elses() -> None:
    traces = Traces(["Jose"], others=["Jos\u00e9"])
    assert not traces.anywhere("Jose\u0301, Jos\u00e9".encode())
    assert traces.anywhere("Jose\u0301, Jose".encode())
    assert not traces.certain("media/Jose\u0301/visit.wav".encode())


def test_several_patients_are_searched_for_at_once() -> None:
    traces = Traces(["p-1", "p-2"], [ID], others=["p-2-b"])
    for theirs in (b"p-1", b"p-2", b"p-2-b, p-2", b"media/p-2/a.wav", ID.encode()):
        assert traces.anywhere(theirs), theirs
    assert not traces.anywhere(b"p-3, p-2-b, p-12")
    assert [traces.owns(f"media/p-{number}/a.wav") for number in (1, 2, 3)] == [True, True, False]
    assert traces.in_json([{"user_id": "p-3"}, {"user_id": "p-2"}])
    assert not traces.in_json([{"user_id": "p-3"}])
