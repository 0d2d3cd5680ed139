"""The effects of a configured audience model that another account owns: refused starts and hidden results.

Source: "IAM behaviors for AWS Clean Rooms ML" in the Clean Rooms user guide. Only the start of a generation works
across accounts, and S3 locations are never shown across accounts.
"""

from typing import Any

from botocore.exceptions import ClientError

from lambdas.shared.state import NotVisible


def refusal(error: ClientError, model_arn: str, own_arn: str) -> str | None:
    """The rejection reason of a refused start, with the account to ask; None if our own account owns the model.

    `own_arn` is any ARN in our own account.
    """
    answer, owner, own = error.response["Error"], account_of(model_arn), account_of(own_arn)
    if owner == own:
        return None
    return (
        f"{answer['Code']}: {answer['Message'].rstrip('.')}. The model belongs to account {owner}: ask its owner "
        f"whether the model's policy lets account {own} use it, and in which collaboration."
    )


def not_visible(job_arn: str, model_arn: str, *, metrics: Any, exported: bool, export_uri: str | None) -> NotVisible:
    """Explanations for an audience's metrics and export location that exist but aren't shown to us.

    If no export was requested, or it was refused, `exported` is False: the location is absent, not hidden.
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
