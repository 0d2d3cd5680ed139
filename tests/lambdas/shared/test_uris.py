import pytest

from lambdas.shared.uris import extension_of, parse_uri, uri_of


@pytest.mark.parametrize("key", ["media/p/a b.wav", "media/p/a+b%20é.wav", "media/p/s3://x", "media/p/" + "x" * 1000])
def test_keys_are_taken_as_they_stand(key: str) -> None:
    assert parse_uri(uri_of("bucket", key)) == ("bucket", key)


@pytest.mark.parametrize(
    "uri", ["", "bucket/key", "s3://bucket", "s3:///key", "https://bucket/key", "xs3://bucket/key"]
)
def test_anything_else_is_refused(uri: str) -> None:
    with pytest.raises(ValueError, match="is not of the form s3://bucket/key"):
        parse_uri(uri)


@pytest.mark.parametrize(
    ("name", "extension"),
    [("s3://b/media/p.1/Visit.WAV", "wav"), ("a.tar.mp3", "mp3"), ("media/p.1/visit", ""), (".wav", ""), ("", "")],
)
def test_the_extension_is_that_of_the_last_part(name: str, extension: str) -> None:
    assert extension_of(name) == extension
