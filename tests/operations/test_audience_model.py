"""A configured audience model is made once, found again, and never replaces another resource."""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from lambdas.rules import parameters
from local.aws.iam import actions_used
from local.server import LocalAws
from local.services.cleanroomsml import jobs
from local.services.cleanroomsml.models import cleanroomsml_backends
from local.services.cleanroomsml.resources import FAILED, AudienceModel, State
from operations.__main__ import app
from operations.audience_model.models import create
from operations.audience_model.request import Output, TrainingTable
from operations.errors import OperationError
from samples.make_interactions import write_interactions
from tests.docs.pages import examples

ACCOUNT = "123456789012"
OUTPUT_URI = "s3://audience-output/audiences"
COLUMNS = [("user_id", "string"), ("item_id", "string"), ("timestamp", "bigint")]


class Aws:
    """A local AWS with training data and a bucket for audiences. `name` is the model's and the table's."""

    def __init__(self, local_aws: LocalAws) -> None:
        self.local_aws, self.name = local_aws, ""
        self._clients: dict[str, Any] = {}

    def client(self, service: str, /) -> Any:
        if service not in self._clients:
            self._clients[service] = self.local_aws.client(service)
        return self._clients[service]

    def provide_table(
        self, columns: list[tuple[str, str]] = COLUMNS, location: str = "s3://training/interactions/"
    ) -> None:
        descriptor = {"Location": location, "Columns": [{"Name": name, "Type": kind} for name, kind in columns]}
        self.client("glue").create_table(
            DatabaseName="shop", TableInput={"Name": self.name, "StorageDescriptor": descriptor}
        )

    def create(self, told: list[str] | None = None, key_arn: str | None = None, **changes: Any) -> str:
        training = TrainingTable("shop", self.name, key_arn=key_arn)
        output = Output(**{"uri": OUTPUT_URI, "minimum_seed": 25, **changes})
        report = (told if told is not None else []).append
        return create(self, self.name, training, output, report=report, poll_seconds=0.02)

    def command(self, *arguments: str) -> int:
        given = ["--name", self.name, "--database", "shop", "--table", self.name, "--output", OUTPUT_URI]
        with pytest.MonkeyPatch.context() as patched, pytest.raises(SystemExit) as ended:
            patched.setattr("operations.audience_model.command.POLL_SECONDS", 0.02)
            app(["audience-model", *given, "--minimum-seed", "25", *arguments])
        return int(ended.value.code or 0)

    def role(self, suffix: str) -> str:
        return f"cleanrooms-ml-{self.name}-{suffix}"

    def roles(self) -> list[str]:
        roles = self.client("iam").list_roles()["Roles"]
        return [role["RoleName"] for role in roles if f"-{self.name}-" in role["RoleName"]]

    def model(self) -> AudienceModel:
        """The audience model in the local service."""
        models = cleanroomsml_backends[ACCOUNT]["us-east-1"].audience_models.values()
        (model,) = [model for model in models if model.name == self.name]
        return model


@pytest.fixture(scope="module")
def interactions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("interactions") / "interactions.csv"
    write_interactions(path, population=300)
    return path


@pytest.fixture(scope="module")
def running(interactions: Path) -> Iterator[Aws]:
    local_aws = LocalAws.start(services={"cleanroomsml": "local.services.cleanroomsml"})
    with pytest.MonkeyPatch.context() as monkeypatch:
        try:
            monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
            monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
            aws = Aws(local_aws)
            for bucket in ("training", "audience-output"):
                aws.client("s3").create_bucket(Bucket=bucket)
            aws.client("s3").upload_file(str(interactions), "training", "interactions/part-0.csv")
            aws.client("glue").create_database(DatabaseInput={"Name": "shop"})
            yield aws
        finally:
            monkeypatch.undo()
            local_aws.stop()


@pytest.fixture
def aws(running: Aws) -> Aws:
    """With a unique name, and without its table."""
    running.name = f"readers-{uuid.uuid4().hex[:8]}"
    return running


@pytest.fixture
def table(aws: Aws) -> None:
    aws.provide_table()


@pytest.mark.usefixtures("table")
def test_a_model_is_made_of_a_table_and_can_be_put_into_cdk_json(aws: Aws) -> None:
    told: list[str] = []
    arn = aws.create(told)
    model = aws.client("cleanroomsml").get_configured_audience_model(configuredAudienceModelArn=arn)
    assert model["status"] == "ACTIVE"
    assert model["minMatchingSeedSize"] == 25
    assert model["audienceSizeConfig"] == {"audienceSizeType": "PERCENTAGE", "audienceSizeBins": [1, 2, 5, 10, 20]}
    assert model["outputConfig"]["roleArn"] == f"arn:aws:iam::{ACCOUNT}:role/{aws.role('output')}"
    asked = {
        "StartMedicalTranscriptionJob": {"LanguageCode": "en-US", "Specialty": "PRIMARYCARE", "Type": "DICTATION"},
        "StartEntitiesDetectionV2Job": {"LanguageCode": "en"},
        "StartAudienceGenerationJob": {"configuredAudienceModelArn": arn},
    }
    assert parameters.problems(asked) == []
    assert f"configured audience model {aws.name}: created" in told
    assert any(line.startswith(f"audience model {aws.name}: ACTIVE") for line in told)


@pytest.mark.usefixtures("table")
def test_the_model_generates_and_exports_an_audience(aws: Aws, interactions: Path) -> None:
    arn, client = aws.create(), aws.client("cleanroomsml")
    users = sorted({line.split(",")[0] for line in interactions.read_text().splitlines()[1:]})[:40]
    aws.client("s3").create_bucket(Bucket="seeds")
    seed = "\n".join(json.dumps({"user_id": user}) for user in users)
    aws.client("s3").put_object(Bucket="seeds", Key="seed.jsonl", Body=seed.encode())
    role = {"Effect": "Allow", "Principal": {"Service": "cleanrooms-ml.amazonaws.com"}, "Action": "sts:AssumeRole"}
    rights = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::seeds/*"}
    trust, policy = (json.dumps({"Version": "2012-10-17", "Statement": [part]}) for part in (role, rights))
    iam = aws.client("iam")
    seed_role = iam.create_role(RoleName="seed", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(RoleName="seed", PolicyName="seed", PolicyDocument=policy)
    job = client.start_audience_generation_job(
        name="one",
        configuredAudienceModelArn=arn,
        seedAudience={"dataSource": {"s3Uri": "s3://seeds/seed.jsonl"}, "roleArn": seed_role},
    )["audienceGenerationJobArn"]
    wait(lambda: client.get_audience_generation_job(audienceGenerationJobArn=job))
    client.start_audience_export_job(
        name="one", audienceGenerationJobArn=job, audienceSize={"type": "PERCENTAGE", "value": 5}
    )
    wait(lambda: client.list_audience_export_jobs(audienceGenerationJobArn=job)["audienceExportJobs"][0])
    assert aws.client("s3").list_objects_v2(Bucket="audience-output", Prefix="audiences/")["KeyCount"] == 1


def wait(describe: Any) -> None:
    while (described := describe())["status"] in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
        pass
    assert described["status"] == "ACTIVE", described


@pytest.mark.usefixtures("table")
def test_a_second_run_finds_what_the_first_made_and_makes_nothing(aws: Aws) -> None:
    first, told = aws.create(), list[str]()
    assert aws.create(told) == first
    assert told and not [line for line in told if "created" in line or "started" in line]
    assert aws.model().state.status == "ACTIVE"


@pytest.mark.usefixtures("table")
def test_a_run_that_was_stopped_while_the_model_was_trained_is_gone_on_with(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(_: float) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(jobs, "start", lambda work, resource: None)
        patched.setattr("operations.audience_model.models.time.sleep", stop)
        assert aws.command() == 130
    assert "The same command continues" in capsys.readouterr().err
    jobs.start(jobs.train_audience_model, aws.model())
    assert aws.command() == 0
    assert "training started" not in capsys.readouterr().out


@pytest.mark.usefixtures("table")
def test_the_roles_have_the_documented_trust_and_reach_the_one_table_and_prefix_only(aws: Aws) -> None:
    aws.create(key_arn=f"arn:aws:kms:us-east-1:{ACCOUNT}:key/k")
    iam = aws.client("iam")
    for suffix, resource in (("training", "training-dataset"), ("output", "configured-audience-model")):
        (trust,) = iam.get_role(RoleName=aws.role(suffix))["Role"]["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "cleanrooms-ml.amazonaws.com"}
        assert trust["Condition"] == {
            "StringEqualsIfExists": {"aws:SourceAccount": [ACCOUNT]},
            "ArnLikeIfExists": {"aws:SourceArn": f"arn:aws:cleanrooms-ml:us-east-1:{ACCOUNT}:{resource}/*"},
        }
    name = aws.role("training")
    document = iam.get_role_policy(RoleName=name, PolicyName=name)["PolicyDocument"]["Statement"]
    reads = {action: statement for statement in document for action in statement["Action"]}
    assert f"arn:aws:glue:us-east-1:{ACCOUNT}:table/shop/{aws.name}" in reads["glue:GetTable"]["Resource"]
    assert reads["s3:GetObject"]["Resource"] == ["arn:aws:s3:::training/interactions/*"]
    assert reads["kms:Decrypt"]["Condition"]["ArnLike"]["kms:EncryptionContext:aws:s3:arn"] == [
        "arn:aws:s3:::training",
        "arn:aws:s3:::training/interactions/*",
    ]
    assert not any("*" in resource for s in document for resource in s["Resource"] if "interactions/*" not in resource)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"minimum_seed": 30},
            "exists with another minMatchingSeedSize (25, not 30)",
        ),
        ({"percentages": [7]}, "exists with another audienceSizeConfig"),
        ({"uri": "s3://audience-output/other"}, "exists with another outputConfig"),
    ],
)
@pytest.mark.usefixtures("table")
def test_a_model_of_that_name_with_other_settings_is_not_taken_for_the_wanted_one(
    aws: Aws, changes: dict[str, Any], told: str
) -> None:
    aws.create()
    with pytest.raises(OperationError) as raised:
        aws.create(**changes)
    assert told in str(raised.value) and "--name" in str(raised.value)


def test_a_failed_training_is_told_with_its_reason_and_what_to_do(aws: Aws) -> None:
    aws.provide_table(location="s3://audience-output/nothing/")
    with pytest.raises(OperationError, match=r"is CREATE_FAILED: .*delete-audience-model --audience-model-arn arn:"):
        aws.create()


@pytest.mark.usefixtures("table")
def test_a_model_that_is_being_deleted_is_told(aws: Aws) -> None:
    aws.create()
    model = aws.model()
    model.state = State("DELETE_IN_PROGRESS")
    with pytest.raises(OperationError, match="is DELETE_IN_PROGRESS"):
        aws.create()
    model.state = State(FAILED, {"statusCode": "X", "message": "no rows"})
    with pytest.raises(OperationError, match="is CREATE_FAILED: no rows"):
        aws.create()


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        (COLUMNS[:2], "has no column 'timestamp', only user_id, item_id"),
        ([*COLUMNS[:2], ("timestamp", "string")], "of type string, but must be bigint or int or timestamp"),
        ([("user_id", "double"), *COLUMNS[1:]], "of type double, but must be string or int or bigint"),
    ],
)
def test_a_table_that_cannot_be_trained_on_is_refused_before_anything_is_made(
    aws: Aws, columns: list[tuple[str, str]], told: str
) -> None:
    aws.provide_table(columns)
    with pytest.raises(OperationError) as raised:
        aws.create()
    assert told in str(raised.value)
    assert aws.roles() == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--table", "nothing"], "There is no Glue table shop.nothing in us-east-1"),
        (["--output", "s3://no-such-bucket/audiences"], "The bucket no-such-bucket of s3://no-such-bucket/audiences"),
        (["--output", "audiences"], "The output is 'audiences'; give s3://BUCKET/PREFIX."),
        (["--name", "every reader"], "The name is 'every reader'"),
        (["--minimum-seed", "24"], "The minimum seed is 24"),
        (["--percentages", "5,101"], "The percentages are [5, 101]"),
        (["--percentages", "5 10"], "--percentages is '5 10'; give numbers"),
    ],
)
@pytest.mark.usefixtures("table")
def test_what_cannot_work_is_told_in_one_sentence(
    aws: Aws, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert aws.command(*arguments) == 1
    said = capsys.readouterr().err
    assert told in said and "Traceback" not in said
    assert aws.roles() == []


@pytest.mark.usefixtures("table")
def test_a_bucket_of_another_region_is_refused(aws: Aws) -> None:
    constraint = {"LocationConstraint": "us-west-2"}
    aws.local_aws.client("s3", region_name="us-west-2").create_bucket(
        Bucket="far", CreateBucketConfiguration=constraint
    )
    with pytest.raises(OperationError, match="The bucket far is in us-west-2, but Clean Rooms ML is used in us-e"):
        aws.create(uri="s3://far/audiences")


@pytest.mark.usefixtures("table")
def test_the_command_prints_the_arn_and_the_line_for_cdk_json(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    assert aws.command() == 0
    said = capsys.readouterr().out
    *_, line = said.splitlines()
    arn = json.loads(f"{{{line}}}")["configuredAudienceModelArn"]
    assert ":configured-audience-model/" in arn and f"\n{arn}\n" in said


@pytest.mark.usefixtures("table")
def test_a_missing_right_is_told_with_the_call(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.local_aws.faults.inject("cleanroomsml", "CreateTrainingDataset", "access_denied")
    assert aws.command() == 1
    said = capsys.readouterr().err
    assert said.startswith("AWS refused CreateTrainingDataset (") and "docs/deploy.md" in said


@pytest.mark.usefixtures("table")
def test_without_credentials_the_command_says_so(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert aws.command() == 1
    assert "There are no AWS credentials; log in" in capsys.readouterr().err


@pytest.mark.usefixtures("table")
def test_an_unknown_profile_is_told(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert aws.command() == 1
    assert "The config profile (nobody) could not be found; correct or unset AWS_PROFILE." in capsys.readouterr().err


@pytest.mark.usefixtures("table")
def test_what_the_service_fills_in_makes_no_other_data_set(aws: Aws) -> None:
    first = aws.create()
    for dataset in cleanroomsml_backends[ACCOUNT]["us-east-1"].training_datasets.values():
        source = dataset.request["trainingData"][0]["inputConfig"]["dataSource"]["glueDataSource"]
        source["catalogId"] = ACCOUNT
    assert aws.create() == first


@pytest.mark.usefixtures("table")
def test_a_data_set_of_another_table_is_not_taken_for_the_wanted_one(aws: Aws) -> None:
    aws.create()
    name, aws.name = aws.name, f"{aws.name}_other"
    aws.provide_table()
    other = TrainingTable("shop", aws.name)
    with pytest.raises(OperationError, match=f"The training data set {name} exists with another trainingData"):
        create(aws, name, other, Output(OUTPUT_URI), report=lambda _: None, poll_seconds=0.02)


@pytest.mark.usefixtures("table")
def test_the_rights_that_the_page_names_are_those_that_are_used(aws: Aws) -> None:
    iam = aws.client("iam")
    user = iam.create_user(UserName=aws.name)["User"]["Arn"]
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.put_user_policy(UserName=aws.name, PolicyName="all", PolicyDocument=json.dumps(everything))
    key = iam.create_access_key(UserName=aws.name)["AccessKey"]
    session: Any = boto3.Session(key["AccessKeyId"], key["SecretAccessKey"], region_name="us-east-1")
    training, output = TrainingTable("shop", aws.name), Output(OUTPUT_URI)
    for _ in range(2):
        create(session, aws.name, training, output, report=lambda _: None, poll_seconds=0.02)
    used = {action for action in actions_used[user] if not action.startswith("cleanrooms-ml:")}
    (named,) = [document for document in examples("deploy.md") if "glue:GetTable" in json.dumps(document)]
    listed = [statement["Action"] for statement in named["Statement"]]
    # The managed policy allows PassRole to the service, which Clean Rooms ML needs.
    assert used - {"iam:PassRole"} == {action for actions in listed for action in as_list(actions)}


def as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
