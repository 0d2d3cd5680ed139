"""One environment of the application as one CloudFormation stack."""

from aws_cdk import Aws, CfnMapping, CfnOutput, Stack
from constructs import Construct

from infra import permissions, service_permissions
from infra.analysis import Analysis, database_name
from infra.backfill import Backfill
from infra.ceilings import warn_of_low_ceilings
from infra.compaction import Compaction
from infra.data_access_roles import DataAccessRoles
from infra.environment import Environment
from infra.functions import ANALYSIS_STEPS, FUNCTIONS, PIPELINE_STEPS, SEARCH_STEPS, Functions
from infra.ingest import Ingest
from infra.job_sharing import JobSharing
from infra.ledger import Ledger
from infra.log_groups import allow_cloudwatch_logs
from infra.monitoring import Monitoring
from infra.regions import REGIONS
from infra.roles import ExactPolicy
from infra.search import Search
from infra.storage import Storage
from infra.variables import variables
from infra.workflow import Workflow


class PipelineStack(Stack):
    """Connects the constructs of all concerns; account and Region are decided at deployment."""

    def __init__(self, scope: Construct, *, environment: Environment) -> None:
        super().__init__(
            scope,
            environment.prefix,
            description="Recordings to transcripts, medical entities and lookalike audiences",
            tags={"application": "clinical-media", "environment": environment.name},
            termination_protection=environment.retain_data,
            analytics_reporting=False,
        )
        self.configured_audience_model_arn = environment.configured_audience_model_arn
        storage = Storage(self, "Storage", environment=environment)
        ledger = Ledger(self, "Ledger", environment=environment, store=storage.clinical)
        operations_key = storage.operations.key
        allow_cloudwatch_logs(operations_key, environment.prefix)
        _, ingest_size = FUNCTIONS["ingest"]
        ingest = Ingest(self, "Ingest", environment=environment, storage=storage, function_timeout=ingest_size.timeout)
        roles = DataAccessRoles(self, "DataAccessRoles", environment=environment, storage=storage)
        tracing = ExactPolicy(
            self, "Tracing", description=f"{environment.prefix}: traces", statements=service_permissions.tracing()
        )
        resources = permissions.Resources(
            prefix=environment.prefix,
            storage=storage,
            ledger=ledger,
            queue_arn=ingest.queue.queue_arn,
            entity_detection_role_arn=roles.entity_detection.role_arn,
            seed_reader_role_arn=roles.seed_reader.role_arn,
            configured_audience_model_arn=environment.configured_audience_model_arn,
        )
        functions = Functions(
            self,
            "Functions",
            environment=environment,
            key=operations_key,
            statements=permissions.functions(resources),
            variables=variables(environment, storage, ledger, roles),
            tracing=tracing,
        )
        ingest.feed(functions.by_name["ingest"])
        JobSharing(self, "JobSharing", environment=environment, function=functions.by_name["share_jobs"])
        workflow = Workflow(
            self,
            "Workflow",
            environment=environment,
            storage=storage,
            steps={name: functions.by_name[name] for name in PIPELINE_STEPS},
            tracing=tracing,
        )
        backfill = Backfill(
            self,
            "Backfill",
            environment=environment,
            storage=storage,
            pipeline_arn=workflow.state_machine.state_machine_arn,
            tracing=tracing,
        )
        search = Search(
            self,
            "Search",
            environment=environment,
            storage=storage,
            steps={name: functions.by_name[name] for name in SEARCH_STEPS},
            tracing=tracing,
        )
        compaction = Compaction(
            self,
            "Compaction",
            environment=environment,
            storage=storage,
            steps={name: functions.by_name[name] for name in ANALYSIS_STEPS},
            tracing=tracing,
        )
        monitoring = Monitoring(
            self,
            "Monitoring",
            environment=environment,
            key=operations_key,
            ingest=ingest,
            functions=functions.by_name,
            state_machine=workflow.state_machine,
            compaction=compaction.state_machine,
        )
        warn_of_low_ceilings(self, environment)
        Analysis(self, "Analysis", environment=environment, clinical=storage.clinical)
        for name, value in {
            "MediaBucketName": storage.media.bucket.bucket_name,
            "ClinicalBucketName": storage.clinical.bucket.bucket_name,
            "AudienceBucketName": storage.audience.bucket.bucket_name,
            "OperationsBucketName": storage.operations.bucket.bucket_name,
            "AccessLogsBucketName": storage.access_logs.bucket_name,
            "LedgerTableName": ledger.table.table_name,
            "MembersTableName": ledger.members.table_name,
            "StateMachineArn": workflow.state_machine.state_machine_arn,
            "BackfillStateMachineArn": backfill.state_machine.state_machine_arn,
            "SearchStateMachineArn": search.state_machine.state_machine_arn,
            "AnalysisStateMachineArn": compaction.state_machine.state_machine_arn,
            "IngestQueueUrl": ingest.queue.queue_url,
            "IngestDeadLetterQueueUrl": ingest.dead_letter_queue.queue_url,
            "AlarmTopicArn": monitoring.topic.topic_arn,
            "DatabaseName": database_name(environment),
            "RegionName": self._region_name(),
        }.items():
            CfnOutput(self, name, value=value)

    def _region_name(self) -> str:
        """The Region's name, looked up at deployment: without an entry CloudFormation refuses the whole template.

        The error is "Template error: Unable to get mapping for" with the map's name, the Region and `Name`.
        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-findinmap.html
        """
        names = {region: {"Name": name} for region, name in REGIONS.items()}
        return CfnMapping(self, "OnlyRegionsWithAllThreeServices", mapping=names).find_in_map(Aws.REGION, "Name")
