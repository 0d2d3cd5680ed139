from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

Run = Callable[..., dict[str, Any]]
READER = "arn:aws:iam::123456789012:role/audience-model-owner-reader"
OWNER_BUCKET = "audience-model-owner-123456789012-us-east-1"


@pytest.fixture
def train(aws: Any, client: Any, name: str, wait: Run) -> Run:
    """Train a model on CSV files below `interactions/<name>/` of the owner's bucket, and return its description."""

    def run(*files: str, columns: tuple[str, str, str] = ("user_id", "item_id", "timestamp"), **request: Any) -> Any:
        folder = f"interactions/{name}"
        for number, content in enumerate(files):
            aws.client("s3").put_object(Bucket=OWNER_BUCKET, Key=f"{folder}/{number}.csv", Body=content.encode())
        table = {"Name": name.replace("-", "_"), "StorageDescriptor": {"Location": f"s3://{OWNER_BUCKET}/{folder}"}}
        aws.client("glue").create_table(DatabaseName="audience_model_owner", TableInput=table)
        source = {"databaseName": "audience_model_owner", "tableName": table["Name"]}
        schema = [
            {"columnName": column, "columnTypes": [kind]}
            for column, kind in zip(columns, ("USER_ID", "ITEM_ID", "TIMESTAMP"), strict=True)
        ]
        data = {"type": "INTERACTIONS", "inputConfig": {"schema": schema, "dataSource": {"glueDataSource": source}}}
        dataset = client.create_training_dataset(name=name, roleArn=READER, trainingData=[data])["trainingDatasetArn"]
        arn = client.create_audience_model(name=name, trainingDatasetArn=dataset, **request)["audienceModelArn"]
        return wait(lambda: client.get_audience_model(audienceModelArn=arn))

    return run


def test_the_columns_are_those_of_the_schema_in_any_order_and_the_files_all_those_of_the_table(train: Run) -> None:
    columns = ("who", "what", "when")
    model = train("when,what,other,who\n1,i,x,a\n", "who,what,when\nb,i,2\n\n", columns=columns)
    assert model["status"] == "ACTIVE"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("user_id,item_id\na,i\n", "has no column timestamp"),
        ("user_id,item_id,timestamp\na,i,1\na,i\n", "line 3 of s3://"),
        ("user_id,item_id,timestamp\na,i,2025-01-01\n", "not in Unix seconds"),
        ("user_id,item_id,timestamp\n", "no interactions"),
    ],
)
def test_unusable_training_data_fails_the_model(train: Run, content: str, message: str) -> None:
    model = train(content)
    assert model["status"] == "CREATE_FAILED"
    assert model["statusDetails"]["statusCode"] == "INVALID_TRAINING_DATA"
    assert message in model["statusDetails"]["message"]


def test_only_the_training_window_is_learnt_from(train: Run) -> None:
    rows = "user_id,item_id,timestamp\na,i,1735689600\n"  # 2025-01-01T00:00:00Z
    model = train(rows, trainingDataStartTime=datetime(2025, 1, 2, tzinfo=UTC))
    assert model["statusDetails"]["statusCode"] == "INVALID_TRAINING_DATA"


def test_the_training_window_includes_its_first_second(train: Run) -> None:
    rows = "user_id,item_id,timestamp\na,i,1735689600\n"
    assert train(rows, trainingDataStartTime=datetime(2025, 1, 1, tzinfo=UTC))["status"] == "ACTIVE"
