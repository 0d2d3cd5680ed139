"""The modelled errors of Clean Rooms ML; codes, members and HTTP statuses are those of botocore's service model."""

from moto.core.exceptions import ServiceException


class ValidationException(ServiceException):
    """A request parameter is not as documented."""

    code = "ValidationException"


class AccessDeniedException(ServiceException):
    """The caller may not do this."""

    code = "AccessDeniedException"


class ConflictException(ServiceException):
    """The request does not fit the state of the resources that exist."""

    code = "ConflictException"


class ResourceNotFoundException(ServiceException):
    """There is no resource with the given ARN."""

    code = "ResourceNotFoundException"


class ServiceQuotaExceededException(ServiceException):
    """One more would exceed the quota `quotaName`, of which `quotaValue` are allowed."""

    code = "ServiceQuotaExceededException"

    def __init__(self, quota_name: str, quota_value: int, remedy: str = "Wait until one of them ends") -> None:
        super().__init__(f"You already have {quota_value} of: {quota_name}. {remedy}.")
        self.quotaName = quota_name
        self.quotaValue = quota_value
