"""The modelled errors of Comprehend Medical; botocore's service model has their HTTP statuses."""

from moto.core.exceptions import ServiceException


class InvalidRequestException(ServiceException):
    """A parameter is not as documented, or does not fit the state of the job."""

    code = "InvalidRequestException"


class ValidationException(ServiceException):
    """A parameter of a list operation is not as documented."""

    code = "ValidationException"


class ResourceNotFoundException(ServiceException):
    """There is no job with the given id."""

    code = "ResourceNotFoundException"


class TooManyRequestsException(ServiceException):
    """One job more would exceed the quota of active jobs."""

    code = "TooManyRequestsException"


class TextSizeLimitExceededException(ServiceException):
    """The text is longer than the synchronous operation takes."""

    code = "TextSizeLimitExceededException"
