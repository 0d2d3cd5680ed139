"""AI services that moto lacks, or models too thinly, added to moto from packages of our own.

A package holds what a moto service holds: `models.py` (the backend classes and a `BackendDict` named
`<name>_backends`), `responses.py` (a `BaseResponse`), `urls.py` (`url_bases`, `url_paths`) and an `__init__.py` that
re-exports the `BackendDict`. The backend class must live in a module called `models`: moto derives `urls` from it.

Reading a request. botocore lists `smithy-rpc-v2-cbor` first for transcribe and comprehendmedical, but boto3 and the AWS
CLI speak the first protocol of botocore's own order that a service offers, and that is JSON; moto cannot parse CBOR at
all. So the wire is:

| service            | protocol | parameters                                           | `url_paths`              |
|--------------------|----------|------------------------------------------------------|--------------------------|
| transcribe         | json 1.1 | `json.loads(self.body)`                              | `{"{0}/$": X.dispatch}`  |
| comprehendmedical  | json 1.1 | `json.loads(self.body)`                              | `{"{0}/$": X.dispatch}`  |
| cleanroomsml       | restJson | `self._get_param(name)`: body, query string and path | `{"{0}/.*$": X.dispatch}`|

`self._get_param("Media")` also works for JSON: it returns the value as parsed (dicts stay dicts). Members in the *path*
of a restJson call (ARNs, percent-encoded) are decoded in `self.uri_match`, filled while moto finds the operation.
An operation `StartX` calls the method `start_x`; it returns `ActionResult(dict)`, whose datetimes, enums and members
are written as botocore's model of the output says. A modelled error is a `moto.core.exceptions.JsonRESTError(code,
message)` or, with a status other than 400, a subclass with its own `code`. An operation without a method is refused
by name (`local.aws.unanswered`).

Whose rights. `self.access_key` is the caller's access key id (`AKIAEXAMPLE` for the operator); give it to
`local.aws.credentials.caller_credentials`. IAM has allowed the call before the method runs.
"""

import importlib
import re
from types import ModuleType
from typing import Any

import moto.backend_index
import moto.backends

_packages: dict[str, ModuleType] = {}
_moto_import_backend = moto.backends._import_backend


def register(name: str, package: str) -> None:
    """Serve the AWS service `name` (boto3's name without hyphens) from `package` instead of from moto.

    Takes effect for servers started afterwards; registering a name again replaces it.
    Raises ImportError if the package, or its `urls`, cannot be imported; AttributeError if it exports no
    `<name>_backends`.
    """
    module = importlib.import_module(package)
    urls = importlib.import_module(f"{package}.urls")
    if not hasattr(module, f"{name}_backends"):
        raise AttributeError(f"{package} must export {name}_backends, the BackendDict of its models module")
    _packages[name] = module
    patterns = moto.backend_index.backend_url_patterns
    patterns[:] = [entry for entry in patterns if entry[0] != name]
    patterns.extend((name, re.compile(base)) for base in urls.url_bases)
    moto.backends._import_backend = _import_backend


def _import_backend(module_name: str, backends_name: str) -> Any:
    if package := _packages.get(module_name):
        return getattr(package, backends_name)
    return _moto_import_backend(module_name, backends_name)
