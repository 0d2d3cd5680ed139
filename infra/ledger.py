"""The ledger: the table that says who works on a recording, which jobs cover its documents and whose records stand."""

from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from infra.environment import Environment
from infra.storage import DataStore, removal_policy


class Ledger(Construct):
    """The table, under the key of the data that its ids are of.

    Its one key attribute begins with the kind of the item, as in `claim#<transcript id>`; infra/permissions.py says who
    may read and change which kind. `Table` and not `TableV2`, which is a global table to CloudFormation.

    The default policy of the key, which leaves it to IAM who may use it, is enough: DynamoDB takes the rights of
    whoever makes the table, which is CloudFormation's role, for grants of its own, and of whoever reads or writes in it
    to decrypt the table's key.
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
