import datetime
from typing import Any

import pytest

from local.server import LocalAws

NOW = datetime.datetime.now(datetime.UTC)
RANGE = {"StartTime": NOW - datetime.timedelta(hours=1), "EndTime": NOW + datetime.timedelta(hours=1)}
# Neither moto's order of dimensions nor its choice of metrics gets all of these right.
DATA = {("here", (("a", "zebra"), ("b", "1"))): 1, ("here", (("a", "zebra"),)): 2, ("here", ()): 4} | {
    ("elsewhere", (("a", "zebra"),)): 8
}


def dimensions(pairs: tuple[tuple[str, str], ...]) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in pairs]


@pytest.fixture(scope="module", autouse=True)
def data(local_aws: LocalAws) -> None:
    for (namespace, pairs), value in DATA.items():
        datum: Any = {"MetricName": "m", "Dimensions": dimensions(pairs), "Value": value, "Timestamp": NOW}
        local_aws.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=[datum])


@pytest.mark.parametrize(("namespace", "pairs"), DATA)
def test_statistics_are_of_the_very_metric(local_aws: LocalAws, namespace: str, pairs: Any) -> None:
    points = local_aws.client("cloudwatch").get_metric_statistics(
        Namespace=namespace, MetricName="m", Dimensions=dimensions(pairs), Period=7200, Statistics=["Sum"], **RANGE
    )["Datapoints"]
    assert [point["Sum"] for point in points] == [DATA[(namespace, pairs)]]


def query(number: int, namespace: str, pairs: Any, **more: Any) -> dict[str, Any]:
    metric = {"Namespace": namespace, "MetricName": "m", "Dimensions": dimensions(pairs)}
    return {"Id": f"q{number}", "MetricStat": {"Metric": metric, "Period": 7200, "Stat": "Sum"}, **more}


def test_data_are_of_the_very_metrics_in_any_order_of_their_dimensions(local_aws: LocalAws) -> None:
    asked = [query(number, namespace, pairs[::-1]) for number, (namespace, pairs) in enumerate(DATA)]
    found = local_aws.client("cloudwatch").get_metric_data(MetricDataQueries=asked, **RANGE)["MetricDataResults"]
    assert {result["Id"]: (result["Label"], result["Values"]) for result in found} == {
        f"q{number}": ("m Sum", [value]) for number, value in enumerate(DATA.values())
    }


def test_an_expression_reckons_with_the_queries_beside_it(local_aws: LocalAws) -> None:
    asked = [query(1, "here", (), Label="own"), query(2, "elsewhere", (), ReturnData=False)]
    asked.append({"Id": "e", "Expression": "q1"})
    found = local_aws.client("cloudwatch").get_metric_data(MetricDataQueries=asked, **RANGE)["MetricDataResults"]
    assert [(result["Id"], result["Label"], result["Values"]) for result in found] == [
        ("q1", "own", [4]),
        ("e", "e", [4]),
    ]
