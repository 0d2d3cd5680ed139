"""What pip is configured for, in the words of uv, which reads none of pip's files and variables."""

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

# Of pip's sections, the later one wins: `:env:` has the variables PIP_*.
_SECTIONS = ("global", "install", ":env:")
# Either may name more indexes than one; whoever has set one of them for uv has said where uv is to look.
_INDEXES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")


class Settings(NamedTuple):
    """What uv is told: variables of its process, and arguments for what has no variable."""

    variables: dict[str, str]
    arguments: list[str]


def in_words_of_uv(listed: str, environment: Mapping[str, str]) -> Settings:
    """Settings for uv from the output of `pip config list`; settings of uv in `environment` take precedence.

    pip's constraints aren't translated: a lock has one version of each package.
    """
    options = _options(listed)
    said: dict[str, str] = {}
    arguments: list[str] = []
    if not any(environment.get(name) for name in _INDEXES):
        said |= _indexes(options)
        if _is_on(options.get("no-index", "")):
            arguments.append("--no-index")
    said |= {
        # Like pip, uv trusts the machine's certificates, such as those of a company's proxy.
        "UV_SYSTEM_CERTS": "true",
        "UV_INSECURE_HOST": _spaced(options.get("trusted-host", "")),
        "UV_HTTP_TIMEOUT": options.get("timeout") or options.get("default-timeout", ""),
        "UV_HTTP_RETRIES": options.get("retries", ""),
        "UV_KEYRING_PROVIDER": "subprocess" if options.get("keyring-provider") == "subprocess" else "",
        "UV_NO_CACHE": "true" if _is_on(options.get("no-cache-dir", "")) else "",
        "SSL_CLIENT_CERT": options.get("client-cert", ""),
    }
    said |= _certificates(options.get("cert") or _of_requests(environment), environment)
    said = {name: value for name, value in said.items() if value and not environment.get(name)}
    if proxy := options.get("proxy"):
        # This one of pip's settings wins over the variables.
        said |= dict.fromkeys(_PROXIES, proxy)
    return Settings(said, arguments)


def _options(listed: str) -> dict[str, str]:
    """The options that hold for `pip install`, by their names."""
    found: dict[str, dict[str, str]] = {section: {} for section in _SECTIONS}
    for line in listed.splitlines():
        key, _, value = line.partition("=")
        section, _, name = key.rpartition(".")
        if section in found:
            found[section][name] = str(ast.literal_eval(value))
    return {name: value for section in _SECTIONS for name, value in found[section].items() if value}


def _indexes(options: Mapping[str, str]) -> dict[str, str]:
    return {
        "UV_DEFAULT_INDEX": options.get("index-url", ""),
        "UV_INDEX": _spaced(options.get("extra-index-url", "")),
        "UV_FIND_LINKS": ",".join(options.get("find-links", "").split()),
        # uv would take a package from the first index that has any version of it; pip looks at all of them. Which one
        # it is doesn't matter for a package whose hash is known.
        "UV_INDEX_STRATEGY": "unsafe-best-match",
    }


def _of_requests(environment: Mapping[str, str]) -> str:
    """The certificates for `requests`, by which pip asks."""
    return environment.get("REQUESTS_CA_BUNDLE") or environment.get("CURL_CA_BUNDLE", "")


def _certificates(place: str, environment: Mapping[str, str]) -> dict[str, str]:
    if not place or environment.get("SSL_CERT_FILE") or environment.get("SSL_CERT_DIR"):
        return {}
    return {"SSL_CERT_DIR" if Path(place).is_dir() else "SSL_CERT_FILE": place}


def _spaced(value: str) -> str:
    return " ".join(value.split())


def _is_on(value: str) -> bool:
    return value.lower() in ("1", "true", "yes", "on", "y", "t")
