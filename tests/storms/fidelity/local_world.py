"""The local AWS with the settings that the simulation's functions have, and what is to be seen there."""

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from lambdas.searching.versions import list_versions
from local.aws.credentials import ACCOUNT_ID
from local.pipeline import configured_audience_model_arn, start_pipeline
from local.server import REGION
from local.services.cleanroomsml import jobs as audience_jobs
from local.services.cleanroomsml.models import cleanroomsml_backends
from operations.deployed import Deployed, find
from operations.forgetting.versions import delete
from tests.interleavings.executions import DEFINITION
from tests.operations.conftest import deliver_access_logs
from tests.simulation import aws
from tests.statemachine.assembly import local_assembly
from tests.statemachine.conftest import Run
from tests.storms.fidelity.engine import Engine
from tests.storms.fidelity.outcome import Job
from tests.storms.fidelity.simulated import COHORT


class LocalWorld:
    """`run` is the pipeline as a person uses it."""

    def __init__(self, run: Run, engine: Engine) -> None:
        self.run, self.engine = run, engine
        self.deployed: Deployed = find("local", run.pipeline.aws.endpoint)
        self._client = run.pipeline.aws.client
        self.iam, self.sqs = self._client("iam"), self._client("sqs")
        self.queue: str = self.sqs.get_queue_url(QueueName=f"{self.deployed.prefix}-ingest")["QueueUrl"]

    def clear(self) -> None:
        """Nothing is left of an earlier scenario but executions and jobs, which nothing leads to any more."""
        for bucket in self.deployed.buckets[:3]:
            delete(self.run.s3, list(list_versions(self.run.s3, bucket)))
        dynamodb = self._client("dynamodb")
        for table in (self.deployed.ledger, self.deployed.members):
            for key in self._keys(table):
                dynamodb.delete_item(TableName=table, Key=key)
        cleanrooms = self._client("cleanroomsml")
        for job in cleanrooms.list_audience_generation_jobs(maxResults=100)["audienceGenerationJobs"]:
            cleanrooms.delete_audience_generation_job(audienceGenerationJobArn=job["audienceGenerationJobArn"])

    def listen(self, wanted: bool) -> None:
        """Whether S3's events reach the queue."""
        rule = {"Name": f"{self.deployed.prefix}-recordings"}
        events = self._client("events")
        (events.enable_rule if wanted else events.disable_rule)(**rule)

    def is_at_rest(self) -> bool:
        running = self.run.stepfunctions.list_executions(
            stateMachineArn=self.run.pipeline.state_machine_arn, statusFilter="RUNNING"
        )
        if running["executions"]:
            return False
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        waiting = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=names)["Attributes"]
        jobs = {job.status for job in self.transcriptions()}
        return {*waiting.values()} == {"0"} and not jobs & {"QUEUED", "IN_PROGRESS"}

    def executions(self, earlier: Collection[str] = ()) -> list[dict[str, Any]]:
        """In the order of their starts, without those whose ARNs are among the earlier ones."""
        pages = self.run.stepfunctions.get_paginator("list_executions").paginate(
            stateMachineArn=self.run.pipeline.state_machine_arn
        )
        arns = [item["executionArn"] for page in pages for item in page["executions"]]
        found = [self.run.stepfunctions.describe_execution(executionArn=arn) for arn in arns if arn not in earlier]
        return sorted(found, key=lambda item: item["startDate"])

    def roles(self) -> list[str]:
        """Those of the functions."""
        pages = self.iam.get_paginator("list_roles").paginate()
        names = [role["RoleName"] for page in pages for role in page["Roles"]]
        return [name for name in names if "Functions" in name]

    def transcriptions(self) -> list[Job]:
        summaries = "MedicalTranscriptionJobSummaries"
        found = self._client("transcribe").list_medical_transcription_jobs(MaxResults=100)
        assert "NextToken" not in found
        return [
            Job(
                item["MedicalTranscriptionJobName"], item["MedicalTranscriptionJobName"], item["TranscriptionJobStatus"]
            )
            for item in reversed(found[summaries])
        ]

    def detections(self) -> list[Job]:
        jobs = "ComprehendMedicalAsyncJobPropertiesList"
        found = self._client("comprehendmedical").list_entities_detection_v2_jobs(MaxResults=500)
        return [
            Job(item["JobId"], item["InputDataConfig"]["S3Key"], item["JobStatus"])
            for item in sorted(found[jobs], key=lambda item: item["SubmitTime"])
        ]

    def generations(self) -> list[Job]:
        client = self._client("cleanroomsml")
        pages = client.get_paginator("list_audience_generation_jobs").paginate()
        found = [
            client.get_audience_generation_job(audienceGenerationJobArn=item["audienceGenerationJobArn"])
            for page in pages
            for item in page["audienceGenerationJobs"]
        ]
        return [
            Job(item["name"], item["seedAudience"]["dataSource"]["s3Uri"], item["status"])
            for item in sorted(found, key=lambda item: item["createTime"])
        ]

    def objects(self, bucket: str) -> dict[str, bytes]:
        versions = [item for item in list_versions(self.run.s3, bucket) if item.is_latest and not item.is_marker]
        return {item.key: self.run.s3.get_object(Bucket=bucket, Key=item.key)["Body"].read() for item in versions}

    def items(self) -> list[str]:
        """The keys of the tables' items, as tests/simulation/tables.py writes them."""
        tables = (self.deployed.ledger, self.deployed.members)
        return ["/".join(part["S"] for part in key.values()) for table in tables for key in self._keys(table)]

    def _keys(self, table: str) -> list[dict[str, Any]]:
        pages = self._client("dynamodb").get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        return [{name: item[name] for name in ("pk", "sk") if name in item} for page in pages for item in page["Items"]]

    def configure(self) -> None:
        """The functions get the simulation's settings."""
        generation = {"configuredAudienceModelArn": configured_audience_model_arn()}
        settings = {
            "PARAMETERS": json.dumps(aws.PARAMETERS | {"StartAudienceGenerationJob": generation}),
            "COHORTS": json.dumps([COHORT]),
            "MAXIMUM_DOCUMENT_BYTES": str(aws.MAXIMUM_DOCUMENT_BYTES),
        }
        functions = self._client("lambda")
        for function in functions.list_functions()["Functions"]:
            variables: dict[str, str] = function["Environment"]["Variables"]
            wanted = variables | {name: value for name, value in settings.items() if name in variables}
            if wanted != variables:
                functions.update_function_configuration(
                    FunctionName=function["FunctionName"], Environment={"Variables": wanted}
                )

        machine = {"stateMachineArn": self.run.pipeline.state_machine_arn}
        definition = json.loads(self.run.stepfunctions.describe_state_machine(**machine)["definition"])
        size = DEFINITION["States"]["CollectBatch"]["ItemBatcher"]["MaxItemsPerBatch"]
        definition["States"]["CollectBatch"]["ItemBatcher"]["MaxItemsPerBatch"] = size
        self.run.stepfunctions.update_state_machine(**machine, definition=json.dumps(definition))


@contextmanager
def local_world() -> Iterator[LocalWorld]:
    """A model that takes seeds of any size, since a scenario has few people."""
    engine = Engine()
    with pytest.MonkeyPatch.context() as patch:
        engine.install(patch)
        pipeline = start_pipeline(local_assembly(), time_scale=0.002, longest_wait=0.05)
        try:
            patch.setattr(audience_jobs, "MINIMUM_SEED", 1)
            (model,) = cleanroomsml_backends[ACCOUNT_ID][REGION].configured_audience_models.values()
            patch.setattr(model, "request", {**model.request, "minMatchingSeedSize": 1})
            world = LocalWorld(Run(pipeline, engine), engine)
            deliver_access_logs(world.run, False)
            world.configure()
            yield world
        finally:
            pipeline.aws.stop()
