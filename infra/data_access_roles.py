"""The roles that Comprehend Medical and Clean Rooms ML assume to reach our buckets, for our own jobs only."""

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra import arns, service_permissions
from infra.environment import Environment
from infra.roles import ExactPolicy, exact_role
from infra.storage import Storage


class DataAccessRoles(Construct):
    """`entity_detection` reads documents and writes entities; `seed_reader` reads seeds, or runs queries for them."""

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment, storage: Storage) -> None:
        super().__init__(scope, construct_id)
        prefix, queries = environment.prefix, []
        if environment.audience.sql_cohorts:
            description = f"{prefix}: queries that select a seed"
            queries.append(
                ExactPolicy(self, "SeedQueries", description=description, statements=service_permissions.seed_queries())
            )
        self.entity_detection = exact_role(
            Construct(self, "EntityDetection"),
            principal=_service("comprehendmedical.amazonaws.com", arns.entity_detection_jobs()),
            description=f"{prefix}: Comprehend Medical reads documents and writes entities",
            statements=service_permissions.entity_detection_data_access(storage),
        )
        self.seed_reader = exact_role(
            Construct(self, "SeedReader"),
            # IfExists is the guide's. AWS doesn't document whether Clean Rooms ML sends both keys; if it doesn't, no
            # seed could be read without IfExists.
            # https://docs.aws.amazon.com/clean-rooms/latest/userguide/ml-roles.html
            principal=_service("cleanrooms-ml.amazonaws.com", arns.audience_generation_jobs(), if_sent="IfExists"),
            description=f"{prefix}: Clean Rooms ML reads seeds",
            statements=service_permissions.seed_reader_data_access(storage),
            shared=queries,
        )


def _service(name: str, jobs: str, if_sent: str = "") -> iam.ServicePrincipal:
    """The service, on behalf of this account's jobs only; without the condition, any account's job could use our role.

    With `if_sent="IfExists"` a call that names no job is allowed too.
    """
    return iam.ServicePrincipal(
        name,
        conditions={
            f"StringEquals{if_sent}": {"aws:SourceAccount": Aws.ACCOUNT_ID},
            f"ArnLike{if_sent}": {"aws:SourceArn": jobs},
        },
    )
