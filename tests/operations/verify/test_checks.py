from botocore.exceptions import ClientError

from operations.errors import OperationError
from operations.verify.checks import Check, Seen, Verdict, finding, holds, left_out, not_seen, refuted


def check(look: object) -> Check[None]:
    return Check("point", "It has to be so.", "Change it.", look)  # type: ignore[arg-type]


def test_only_what_is_refuted_has_a_remedy() -> None:
    for seen, remedy in ((holds("e"), None), (not_seen("e"), None), (refuted("e"), "Change it.")):
        found = finding(check(lambda subject, seen=seen: seen), None)
        assert (found.verdict, found.evidence, found.remedy) == (seen.verdict, "e", remedy)


def test_a_call_that_fails_shows_nothing() -> None:
    denied = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetThing")
    for error, words in ((denied, "AWS refused GetThing"), (OperationError("It is gone."), "It is gone.")):

        def look(subject: None, error: Exception = error) -> Seen:
            raise error

        found = finding(check(look), None)
        assert found.verdict is Verdict.NOT_SEEN
        assert words in found.evidence


def test_an_answer_of_another_shape_spoils_its_own_point_only() -> None:
    def look(subject: None) -> Seen:
        raise KeyError("Rows")

    found = finding(check(look), None)
    assert found.verdict is Verdict.NOT_SEEN
    assert "The check itself failed: KeyError: 'Rows'" in found.evidence


def test_a_point_that_is_left_out_is_not_seen() -> None:
    found = left_out(check(lambda subject: refuted("e")))
    assert (found.verdict, found.remedy) == (Verdict.NOT_SEEN, None)
