from collections.abc import Iterator
from typing import Any

import pytest

from lambdas.cohorts import audience_attempts
from lambdas.cohorts.audience_attempts import name_of, unless_failed
from lambdas.shared.errors import JobFailed


def failed(*names: str) -> list[dict[str, Any]]:
    return [{"name": name, "usable": False} for name in names]


def attempt(existing: Any) -> tuple[str, Any]:
    return unless_failed("base", existing, lambda job: bool(job["usable"]))


@pytest.mark.parametrize(
    ("names", "free"),
    [
        ([], "base-1"),
        (["base-1"], "base-2"),
        (["base-2"], "base-1"),
        (["base-2", "base-1"], "base-3"),
        (["other-1", "base", "base-more-1"], "base-1"),
    ],
)
def test_the_next_attempt_has_the_first_number_that_is_free(names: list[str], free: str) -> None:
    assert attempt(failed(*names)) == (free, None)


@pytest.mark.parametrize("name", ["other-1", "base", "base2-1", "base-more-1"])
def test_a_job_of_another_base_is_not_gone_on_with(name: str) -> None:
    assert attempt([{"name": name, "usable": True}]) == ("base-1", None)


def test_nothing_is_read_behind_the_attempt_to_go_on_with() -> None:
    def jobs() -> Iterator[dict[str, Any]]:
        yield from failed("base-1", "other-1")
        yield {"name": "base-7", "usable": True}
        raise AssertionError("read on")

    assert attempt(jobs()) == ("base-7", {"name": "base-7", "usable": True})


def test_there_is_an_end_of_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audience_attempts, "MAXIMUM_ATTEMPTS", 2)
    with pytest.raises(JobFailed, match="2 jobs named base-<attempt> have failed"):
        attempt(failed("base-1", "base-2"))


def test_a_name_has_room_for_its_attempts_in_an_environment_with_the_longest_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RESOURCE_PREFIX", f"clinical-media-{'e' * 20}")
    name = f"{name_of('c' * 20, 'seed')}-{audience_attempts.MAXIMUM_ATTEMPTS}"
    assert len(name) <= 63, "API reference of StartAudienceGenerationJob"
