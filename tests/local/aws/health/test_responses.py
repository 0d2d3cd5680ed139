import datetime

from local.aws import account
from local.server import LocalAws

END = datetime.datetime(2027, 5, 1, tzinfo=datetime.UTC)


def test_no_service_has_an_announced_end_unless_one_is_set(local_aws: LocalAws) -> None:
    assert local_aws.client("health").describe_service_lifecycle()["serviceLifecycles"] == []


def test_announced_ends_are_listed_by_service(local_aws: LocalAws) -> None:
    ends = {"lifecycleEventType": "END_OF_SUPPORT", "date": END, "regions": ["us-east-1"], "description": "It ends."}
    facts = account.current()
    facts.service_lifecycles += [
        {"service": service, "version": "1", "title": "An end", "lifecycleEvents": [ends]}
        for service in ("TRANSCRIBE", "LAMBDA")
    ]
    client = local_aws.client("health")
    try:
        assert [item["service"] for item in client.describe_service_lifecycle()["serviceLifecycles"]] == [
            "TRANSCRIBE",
            "LAMBDA",
        ]
        (found,) = client.describe_service_lifecycle(filter={"service": "LAMBDA"})["serviceLifecycles"]
    finally:
        facts.service_lifecycles.clear()
    assert found["service"] == "LAMBDA"
    assert found["lifecycleEvents"][0]["date"] == END
