"""Turns an AWS error, or an error on the way to AWS, into a sentence that says what to do.

Sources: botocore.exceptions; "Common errors" of the API references; Amazon S3 API reference, "Error responses"; AWS
SDKs and tools reference guide, "Retry behavior" (which errors are throttling).
"""

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConfigNotFound,
    ConfigParseError,
    ConnectionClosedError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    InvalidConfigError,
    LoginError,
    NoAuthTokenError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    ProxyConnectionError,
    ReadTimeoutError,
    SSLError,
    SSOError,
    TokenRetrievalError,
)
from botocore.parsers import ResponseParserError

from operations.causes import plain
from operations.clients import NotAws, is_loopback
from operations.errors import OperationError

# The errors that a call to AWS may raise.
AWS_ERRORS = (ClientError, BotoCoreError, ResponseParserError)

_LATER = "wait a minute and try again"
_NETWORK = "look at the network, the proxy (HTTPS_PROXY, NO_PROXY) and --endpoint-url, then try again"
_CREDENTIALS = (
    "AuthFailure",
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidToken",
    "MissingAuthenticationToken",
    "TokenRefreshRequired",
    "UnrecognizedClient",
)
_SIGNATURE = ("InvalidSignature", "RequestExpired", "RequestTimeTooSkewed", "SignatureDoesNotMatch")
_DENIED = ("403", "AccessDenied", "AllAccessDisabled", "Forbidden", "NotAuthorized", "UnauthorizedOperation")
_REGION = (
    "301",
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraint",
    "IncorrectEndpoint",
    "PermanentRedirect",
)
_TOO_MUCH = (
    "429",
    "BandwidthLimitExceeded",
    "LimitExceeded",
    "ProvisionedThroughputExceeded",
    "RequestLimitExceeded",
    "RequestThrottled",
    "ServiceQuotaExceeded",
    "SlowDown",
    "Throttl",
    "TooManyRequests",
)
_OUTAGE = ("500", "502", "503", "504", "Internal", "RequestTimeout", "ServiceException", "ServiceUnavailable")
_MISSING = ("404", "NoSuch", "NotFound", "ResourceNotFound")


def sentence(error: Exception) -> str:
    """What went wrong and what to do; `error` is an OperationError or one of `AWS_ERRORS`."""
    if isinstance(error, OperationError):
        return str(error)
    if isinstance(error, ClientError):
        return _refused(error)
    if isinstance(error, ResponseParserError):
        return f"The answer can't be read, so it isn't AWS's; {_NETWORK}."
    if isinstance(error, NotAws):
        return f"{error}; log in to the network or its proxy, or correct HTTPS_PROXY, NO_PROXY or --endpoint-url."
    assert isinstance(error, BotoCoreError)
    return _configuration(error) or _way(error) or f"AWS can't be called: {_text(error)}; correct that and try again."


def _configuration(error: BotoCoreError) -> str | None:
    if isinstance(error, NoRegionError):
        return "No Region is set; set AWS_DEFAULT_REGION, or region in the profile that AWS_PROFILE names."
    if isinstance(error, NoCredentialsError):
        return "There are no AWS credentials; log in (aws sso login), or set AWS_PROFILE."
    if isinstance(error, PartialCredentialsError):
        return f"The AWS credentials are incomplete ({_text(error)}); set both, or log in (aws sso login)."
    if isinstance(error, (CredentialRetrievalError, LoginError, NoAuthTokenError, SSOError, TokenRetrievalError)):
        return f"The AWS credentials can't be fetched ({_text(error)}); log in again (aws sso login)."
    if isinstance(error, ProfileNotFound):
        return f"{_text(error)}; correct or unset AWS_PROFILE."
    if isinstance(error, (ConfigNotFound, ConfigParseError, InvalidConfigError)):
        return f"The AWS configuration can't be used ({_text(error)}); correct the file (aws configure list)."
    return None


def _way(error: BotoCoreError) -> str | None:
    url = str(error.kwargs.get("endpoint_url") or "AWS")
    if isinstance(error, EndpointConnectionError):
        advice = "start the local AWS with `make local`, or correct --endpoint-url" if is_loopback(url) else _NETWORK
        return f"Nobody answers at {url}; {advice}."
    if isinstance(error, (ConnectTimeoutError, ReadTimeoutError)):
        return f"{url} doesn't answer in time; {_NETWORK}."
    if isinstance(error, ProxyConnectionError):
        return f"The proxy {error.kwargs.get('proxy_url')} lets nothing through; {_NETWORK}."
    if isinstance(error, SSLError):
        return (
            f"The certificate of {url} is not trusted, perhaps because a proxy decrypts the traffic; set AWS_CA_BUNDLE "
            "to the file of your organization's certificates, or correct --endpoint-url."
        )
    if isinstance(error, (ConnectionClosedError, HTTPClientError)):
        return f"The connection to {url} broke off; {_NETWORK}."
    return None


def _refused(error: ClientError) -> str:
    answer = error.response.get("Error", {})
    code = str(answer.get("Code") or "unknown")
    message = _words(answer.get("Message"))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    shown = f"{code}: {message}" if message else code
    refused = f"AWS refused {error.operation_name}"
    if code.startswith(_CREDENTIALS):
        return f"AWS doesn't take the credentials ({shown}); log in again."
    if code.startswith(_SIGNATURE):
        return f"AWS doesn't take the signature ({shown}); set this machine's clock right, or correct the secret key."
    if code.startswith(_TOO_MUCH) or status == 429:
        return f"{refused} because of too many requests ({shown}); {_LATER}."
    if code.startswith(_REGION):
        return f"{refused} in this Region ({shown}); correct AWS_DEFAULT_REGION, and AWS_REGION if it is set."
    if code.startswith(_OUTAGE) or status >= 500:
        return f"AWS, or a proxy on the way, could not answer {error.operation_name} ({shown}); {_LATER}."
    if code.startswith(_DENIED):
        return f"{refused} ({message or code}); ask for that permission, or use other credentials."
    if code.startswith(_MISSING) or code.endswith(("NotFound", "NotFoundException", "DoesNotExist")):
        return f"{error.operation_name} found nothing ({shown}); correct --env or the Region, or deploy it."
    return f"{refused} ({shown}); repair that and try again."


def _words(message: object) -> str:
    """AWS's message without its full stop; empty if there is none, or it is an HTML page."""
    text = str(message or "").strip()
    if not text or text.startswith("<"):
        return ""
    return plain(text).rstrip(".")


def _text(error: BotoCoreError) -> str:
    return plain(str(error)).rstrip(".")
