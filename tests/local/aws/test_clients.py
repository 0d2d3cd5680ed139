from typing import Any

from local.aws import clients

CREDENTIALS = {"aws_access_key_id": "A", "aws_secret_access_key": "S"}


def client(**changes: Any) -> Any:
    return clients.client("sqs", **{"endpoint_url": "http://127.0.0.1:1", "region_name": "us-east-1"} | changes)


def test_whoever_calls_the_same_with_the_same_rights_shares_a_client() -> None:
    assert client(**CREDENTIALS) is client(**CREDENTIALS)


def test_other_rights_another_place_or_another_region_take_another_client() -> None:
    mine = client(**CREDENTIALS)
    assert client(**CREDENTIALS | {"aws_access_key_id": "B"}) is not mine
    assert client(**CREDENTIALS, endpoint_url="http://127.0.0.1:2") is not mine
    assert client(**CREDENTIALS, region_name="eu-west-1") is not mine
    assert client(**CREDENTIALS, aws_session_token="T") is not mine


def test_a_client_is_forgotten_with_the_server() -> None:
    before = client(**CREDENTIALS)
    clients.forget()
    assert client(**CREDENTIALS) is not before
