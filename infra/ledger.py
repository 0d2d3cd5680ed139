"""The ledger: the tables of claims on recordings, of paid jobs and valid records, and of the cohorts' members."""

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from infra.environment import Environment
from infra.storage import DataStore, removal_policy


class Ledger(Construct):
    """The tables, encrypted with the clinical key.

    Their partition keys begin with the kind of the item, as in `claim#<transcript id>`; infra/permissions.py grants
    access by kind. `Table` is used because CloudFormation makes a global table of `TableV2`.

    `members` is derived from the records and names patients. So it has no backup, in which a forgotten patient would
    stay for 35 days, and is deleted with the stack.

    The default policy of the KMS key is enough: DynamoDB uses the rights of the caller, which is CloudFormation's role
    when the table is created, and the reading or writing function later.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html#dynamodb-kms-authz
    """

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment, store: DataStore) -> None:
        super().__init__(scope, construct_id)
        self.key = store.key
        partition_key = dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING)
        self.table = dynamodb.Table(
            self,
            "Table",
            partition_key=partition_key,
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=self.key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            removal_policy=removal_policy(environment),
        )
        self.members = dynamodb.Table(
            self,
            "Members",
            partition_key=partition_key,
            sort_key=dynamodb.Attribute(name="sk", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=self.key,
            time_to_live_attribute="expires_at",
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
