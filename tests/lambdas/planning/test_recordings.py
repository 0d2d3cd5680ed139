from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from lambdas.planning.recordings import Recording, check_access, inspect
from lambdas.shared import storage
from lambdas.shared.object_faults import CUSTOMER_KEY, NO_ACCESS

KEYS = ["media/p-1/a.wav", "media/p-2/b.wav", "media/p-3/c.wav"]
HEAD = {"ContentLength": 9, "ETag": '"e"', "LastModified": datetime(2026, 1, 1, tzinfo=UTC), "Metadata": {}}


@pytest.fixture
def s3_says(stubbed: Callable[[Any], Stubber]) -> Stubber:
    return stubbed(storage.s3)


def answer(s3_says: Stubber, *statuses: str) -> None:
    for status in statuses:
        if status == "200":
            s3_says.add_response("head_object", HEAD)
        else:
            s3_says.add_client_error("head_object", status, http_status_code=int(status))


def inspected(keys: list[str]) -> list[Recording]:
    found = [inspect(key) for key in keys]
    check_access(found)
    return found


def test_a_key_that_is_no_recording_s_is_not_even_looked_at(s3_says: Stubber) -> None:
    assert inspect("").rejected == "The key is not of the form media/<user_id>/<file>."


def test_one_patient_is_one_however_the_key_is_spelt_and_the_object_is_found_by_its_own_key(s3_says: Stubber) -> None:
    keys = ["media/Jos\u00e9/a.wav", "media/Jose\u0301/a.wav"]
    answer(s3_says, "200", "200")
    items = [inspect(key) for key in keys]
    assert [item.user_id for item in items] == ["Jos\u00e9"] * 2
    assert [item.uri.partition("/media/")[2] for item in items] == [key.removeprefix("media/") for key in keys]
    assert items[0].media_id != items[1].media_id


@pytest.mark.parametrize(("folder", "told"), [("p\n1", "U+000A"), ("p-1\x7f", "U+007F"), (" ", "no letter or digit")])
def test_a_user_id_that_no_line_could_suppress_is_its_recordings_own_fault(folder: str, told: str) -> None:
    reason = inspect(f"media/{folder}/a.wav").rejected or ""
    assert told in reason
    assert reason.endswith("Rename the object.")


def test_one_object_that_a_policy_denies_is_rejected_and_the_others_go_on(s3_says: Stubber) -> None:
    answer(s3_says, "200", "403", "200")
    assert [item.rejected for item in inspected(KEYS)] == [None, NO_ACCESS, None]


def test_a_right_that_is_missing_for_all_fails_the_execution_whatever_else_is_wrong_with_some(s3_says: Stubber) -> None:
    answer(s3_says, "403", "403", "403")
    with pytest.raises(ClientError, match="403"):
        inspected([*KEYS, "media/no-user.wav"])


@pytest.mark.parametrize("status", ["500", "503", "412"])
def test_what_the_service_can_not_answer_is_left_to_the_state_machine(s3_says: Stubber, status: str) -> None:
    answer(s3_says, status)
    with pytest.raises(ClientError, match=status):
        inspect(KEYS[0])


def test_an_object_under_a_customer_s_key_is_rejected_and_the_others_go_on(s3_says: Stubber) -> None:
    answer(s3_says, "400")
    s3_says.add_client_error("get_object", "InvalidRequest", "The object was stored using a form of SSE.", 400)
    answer(s3_says, "200")
    assert [item.rejected for item in inspected(KEYS[:2])] == [CUSTOMER_KEY, None]


@pytest.mark.parametrize("code", ["ExpiredToken", "AccessDenied", "InternalError"])
def test_a_bad_request_with_another_reason_is_not_the_object_s(s3_says: Stubber, code: str) -> None:
    answer(s3_says, "400")
    s3_says.add_client_error("get_object", code)
    with pytest.raises(ClientError, match=code):
        inspect(KEYS[0])


def test_an_object_that_could_be_read_after_a_bad_request_is_looked_at_again(s3_says: Stubber) -> None:
    answer(s3_says, "400")
    s3_says.add_response("get_object", {})
    answer(s3_says, "200")
    assert inspect(KEYS[0]).rejected is None
