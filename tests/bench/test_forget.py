"""The benchmark of forgetting counts what the command asks for."""

from bench.forget import measure, row


def test_the_requests_of_the_command_grow_with_batches_and_patients_only() -> None:
    few, many = measure(10_000), measure(40_000)
    # A patient's own executions, however many there are besides.
    assert few.command["GET clinical"] > 100
    assert many.command["GET clinical"] - few.command["GET clinical"] < 100
    # One seed for each batch, and one request for a thousand patients' folders.
    assert many.command["GET audience"] - few.command["GET audience"] == 30
    assert many.command["GET media"] - few.command["GET media"] <= 3
    assert many.command["DeleteItem"] >= 10


def test_the_row_is_met_by_the_requests_that_were_counted() -> None:
    outcome = measure(2_000)
    assert row(2_000, outcome).met
    assert not row(2_000, outcome._replace(search=outcome.search + outcome.search.__class__(get=50_000))).met
