"""The open points: behaviour that AWS doesn't document, with the variants that the local AWS can play.

The local AWS can't know AWS's variant, so it can play each of them, one at a time, for all of its services:
`LocalAws.start(open_points=...)` sets the variants, `LocalAws.open_points` changes them while it runs.
"""

from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Literal, get_args, get_type_hints


@dataclass(frozen=True)
class OpenPoints:
    """One field per open point, with one value per variant; the defaults are played first.

    Raises ValueError for a value that isn't a variant of the field.

    - `map_children` is what a Distributed Map's child execution sends as `aws:SourceArn` when Step Functions assumes
      the role, and as encryption context when it uses the state machine's key: the ARN of the state machine, or the
      labelled `stateMachine:NAME/LABEL` of the child's own description. The guide's trust policy ends in
      `stateMachine:*` and its key statement names the state machine; it doesn't mention children.
      https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeStateMachine.html (labels)
      https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html
    - `queue_key` is which condition keys KMS gets when EventBridge sends to an encrypted queue: `aws:SourceAccount`
      and `kms:EncryptionContext:aws:sqs:arn`, the latter only, or none. EventBridge's guide shows the key's statement
      without a condition. According to SNS's guide, `aws:SourceAccount` and `aws:SourceArn` aren't supported for
      EventBridge and an encrypted topic. No guide mentions that SQS sends the queue's ARN for EventBridge.
      https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html
      https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services
    - `transcribe_key` and `comprehend_medical_key` are how the service names the key in the PutObject of its output: as
      the job's request named it, or by the bare key id. S3 takes either, and a bucket policy compares the text.
      https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html (SSEKMSKeyId)
    - `transcribe_write_check` is whether Transcribe writes `.write_access_check_file.temp` beside the output when a job
      is started, and with which encryption headers. AWS doesn't document the object; public repositories that use
      Transcribe mention it, but not its headers.
    - `foreign_model_listing` is the answer of ListAudienceGenerationJobs to a filter by another account's model: a
      refusal, or the caller's own jobs of that model. The guide allows only StartAudienceGenerationJob across accounts,
      and such a filter may count as a call across accounts.
      https://docs.aws.amazon.com/clean-rooms/latest/userguide/ml-behaviors.html
    - `clean_rooms_ml_source` is whether Clean Rooms ML sends `aws:SourceArn` and `aws:SourceAccount` when it assumes a
      role. The trust policies in its guide also hold without them (`IfExists`).
      https://docs.aws.amazon.com/clean-rooms/latest/userguide/ml-roles.html
    - `transaction_keys` is the value of `dynamodb:LeadingKeys` when IAM checks one item of a DynamoDB transaction: that
      item's key, or the keys of all items, also in other tables. According to the guide each item needs the permission
      of its own operation; it doesn't mention the keys.
      https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html
      https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
    """

    map_children: Literal["state-machine", "labelled"] = "state-machine"
    queue_key: Literal["account-and-queue", "queue", "nothing"] = "account-and-queue"
    transcribe_key: Literal["as-given", "id"] = "as-given"
    comprehend_medical_key: Literal["as-given", "id"] = "as-given"
    transcribe_write_check: Literal["none", "without-headers", "as-output", "aes256"] = "none"
    foreign_model_listing: Literal["refused", "answered"] = "refused"
    clean_rooms_ml_source: Literal["sent", "withheld"] = "sent"
    transaction_keys: Literal["each", "all"] = "each"

    def __post_init__(self) -> None:
        for name, ways in WAYS.items():
            if (value := getattr(self, name)) not in ways:
                raise ValueError(f"{name} is {value!r}; the variants of this open point are {', '.join(ways)}")


WAYS = MappingProxyType({field.name: get_args(get_type_hints(OpenPoints)[field.name]) for field in fields(OpenPoints)})
"""The variants of each open point, by its name, the default first."""

DEFAULT = OpenPoints()

_played = DEFAULT


def played() -> OpenPoints:
    """The variants that the local AWS plays now."""
    return _played


def play(points: OpenPoints) -> None:
    """Play these variants from now on; calls that have begun may still use the earlier ones."""
    global _played
    _played = points
