import pytest

from local.services.transcribe.storage import Location, media_location


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("s3://media/media/p-1/a b%20+.wav", Location("media", "media/p-1/a b%20+.wav")),
        ("https://s3.us-east-1.amazonaws.com/media/a%20b.wav", Location("media", "a b.wav")),
        ("https://s3-us-west-2.amazonaws.com/media/a.wav", Location("media", "a.wav")),
        ("https://media.s3.us-east-1.amazonaws.com/x/a.wav", Location("media", "x/a.wav")),
        ("s3://media", None),
        ("https://example.com/media/a.wav", None),
    ],
)
def test_a_media_uri_names_an_object(uri: str, expected: Location | None) -> None:
    assert media_location(uri) == expected
