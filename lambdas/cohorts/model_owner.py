"""What it means that another account owns the configured audience model: what its owner refuses, and what we can't see.

Source: "IAM behaviors for AWS Clean Rooms ML" in the Clean Rooms user guide. Only the start of a generation can be
called across accounts, and S3 locations are never shown across accounts.
"""

from typing import Any

from botocore.exceptions import ClientError

from lambdas.shared.state import NotVisible


def refusal(error: ClientError, model_arn: str, own_arn: str) -> str | None:
    """Why a start that breaks no rule was refused, with whom to ask; None if the model is our own account's.

    `own_arn` is the ARN of anything in our own account.
    """
    answer, owner, own = error.response["Error"], account_of(model_arn), account_of(own_arn)
    if owner == own:
        return None
    return (
        f"{answer['Code']}: {answer['Message'].rstrip('.')}. The model belongs to account {owner}: ask its owner "
        f"whether the model's policy lets account {own} use it, and in which collaboration."
    )


def not_visible(job_arn: str, model_arn: str, *, metrics: Any, exported: bool, export_uri: str | None) -> NotVisible:
    """Why the summary's audience has no metrics and no export's location, for each that exists and isn't shown to us.

    An export that nobody asked for, or that was refused, isn't hidden: it isn't there (`exported` is false).
    """
    owner, own = account_of(model_arn), account_of(job_arn)
    hidden: NotVisible = {}
    if metrics is None:
        hidden["metrics"] = (
            "The configured audience model shares no metrics (its sharedAudienceMetrics)."
            if owner == own
            else f"Account {owner}, which owns the configured audience model, doesn't share its metrics. Ask its owner "
            "to set the model's sharedAudienceMetrics to ALL."
        )
    if exported and export_uri is None:
        hidden["export_uri"] = (
            "Clean Rooms ML lists the export without its location."
            if owner == own
            else f"Exported to a bucket of account {owner}, which owns the configured audience model and alone sees "
            f"where. Ask its owner for the audience of generation job {job_arn.partition('/')[2]}."
        )
    return hidden


def account_of(arn: str) -> str:
    return arn.split(":")[4]
