import re
from collections.abc import Iterator

import pytest
from botocore.model import ListShape, MapShape, Shape, StructureShape

from lambdas.rules import clean_rooms_ml, comprehend_medical, transcribe_medical
from lambdas.rules.java_pattern import matches
from lambdas.rules.sdk_model import input_shape

NAME = r"(?!\s*$)[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDBFF-\uDC00\uDFFF\t]*"
JOB_NAME = r"^([\p{L}\p{Z}\p{N}_.:/=+\-%@]*)$"


def patterns_of(shape: Shape) -> Iterator[str]:
    if "pattern" in shape.metadata:
        yield shape.metadata["pattern"]
    if isinstance(shape, StructureShape):
        for member in shape.members.values():
            yield from patterns_of(member)
    elif isinstance(shape, ListShape):
        yield from patterns_of(shape.member)
    elif isinstance(shape, MapShape):
        yield from patterns_of(shape.key)
        yield from patterns_of(shape.value)


@pytest.mark.parametrize("service", [transcribe_medical, comprehend_medical, clean_rooms_ml])
def test_every_pattern_of_the_three_requests_compiles(service: object) -> None:
    patterns = set(patterns_of(input_shape(service.SERVICE, service.OPERATION)))  # type: ignore[attr-defined]
    assert patterns
    for pattern in patterns:
        assert not matches(pattern, "\n\ud800")


@pytest.mark.parametrize(
    ("pattern", "inside", "outside"),
    [
        ("^[0-9a-zA-Z._-]+", "a-1._Z", "a b"),
        ("^[0-9a-zA-Z._-]+", "a", "a\n"),
        ("s3://.+", "s3://b/k", "s3://b/\u2028"),
        (NAME, "a visit", "  \t "),
        (NAME, "\U0001f600 \U0010ffff\U00010000", "\ud800"),
        (NAME, "\ufffd", "\uffff"),
        (NAME, "a\tb", "a\x1fb"),
        (JOB_NAME, "Zoë Ünal 1½ 病/x=+-%@_.:\u00a0", "a;b"),
        (JOB_NAME, "\U00010400", "\U0001f600"),
        (JOB_NAME, "", "\ue000"),
        (r"\p{Lu}\P{Lu}", "Éé", "éÉ"),
        (r"[\P{N}]+", "ab", "a1"),
        (r"[\p{N}]?[^\p{N}]", "a", "1"),
        (r"a\p{N}?", "a", "ab"),
        (r"\d\w", "1a", "١a"),
        (r"a\.[.]", "a..", "a.b"),
        (r"[\uD800\uDC00-\uDBFF\uDFFF]", "\U0001f600", "a"),
        (r"\uD83D\uDE00", "\U0001f600", "a"),
    ],
)
def test_a_pattern_means_what_it_means_in_java(pattern: str, inside: str, outside: str) -> None:
    assert (matches(pattern, inside), matches(pattern, outside)) == (True, False)


def test_a_class_that_is_no_unicode_category_is_an_error() -> None:
    with pytest.raises(ValueError, match="Alpha is no Unicode category"):
        matches(r"\p{Alpha}", "a")
    with pytest.raises(re.error):
        matches("[a", "a")
