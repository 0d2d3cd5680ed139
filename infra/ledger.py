"""The ledger: the table of claims on recordings, of the jobs that cover documents, and of the valid records."""

from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from infra.environment import Environment
from infra.storage import DataStore, removal_policy


class Ledger(Construct):
    """The table, encrypted with the clinical key.

    Its key attribute begins with the kind of the item, as in `claim#<transcript id>`; infra/permissions.py grants
    access by kind. `Table` is used because CloudFormation makes a global table of `TableV2`.

    The default policy of the KMS key is enough: DynamoDB uses the rights of the caller, which is CloudFormation's role
    when the table is created, and the reading or writing function later.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html#dynamodb-kms-authz
    """

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment, store: DataStore) -> None:
        super().__init__(scope, construct_id)
        self.key = store.key
        self.table = dynamodb.Table(
            self,
            "Table",
            partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=self.key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            removal_policy=removal_policy(environment),
        )
