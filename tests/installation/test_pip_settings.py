from pathlib import Path

import pytest

from installation.pip_settings import in_words_of_uv

_BY_DEFAULT = {"UV_INDEX_STRATEGY": "unsafe-best-match", "UV_SYSTEM_CERTS": "true"}


def variables(listed: str, **environment: str) -> dict[str, str]:
    """What uv is told beyond what it's always told."""
    said = in_words_of_uv(listed, environment).variables
    return {name: value for name, value in said.items() if _BY_DEFAULT.get(name) != value}


def test_indexes_are_the_same() -> None:
    listed = (
        "global.index-url='https://packages.example/simple'\n"
        "global.extra-index-url='\\nhttps://user:word@more.example/simple\\nfile:///more'\n"
        "global.find-links='/wheels https://wheels.example'\n"
        "global.trusted-host='more.example\\nwheels.example'\n"
    )
    assert variables(listed) == {
        "UV_DEFAULT_INDEX": "https://packages.example/simple",
        "UV_INDEX": "https://user:word@more.example/simple file:///more",
        "UV_FIND_LINKS": "/wheels,https://wheels.example",
        "UV_INSECURE_HOST": "more.example wheels.example",
    }


def test_all_indexes_are_looked_at_as_by_pip() -> None:
    assert in_words_of_uv("", {}).variables == _BY_DEFAULT


def test_no_index_is_an_argument() -> None:
    assert in_words_of_uv("global.no-index='true'", {}).arguments == ["--no-index"]
    assert in_words_of_uv("global.no-index='false'", {}).arguments == []


def test_variables_win_over_the_section_of_install_and_that_over_global() -> None:
    listed = ":env:.index-url='https://3'\nglobal.index-url='https://1'\ninstall.index-url='https://2'"
    assert variables(listed) == {"UV_DEFAULT_INDEX": "https://3"}
    assert variables("install.index-url='https://2'\nglobal.index-url='https://1'") == {"UV_DEFAULT_INDEX": "https://2"}


def test_sections_of_other_commands_say_nothing() -> None:
    assert variables("download.index-url='https://1'\nfreeze.timeout='10'") == {}


@pytest.mark.parametrize("name", ["UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL"])
def test_who_told_uv_where_to_look_is_not_overruled(name: str) -> None:
    listed = "global.index-url='https://1'\nglobal.extra-index-url='https://2'\nglobal.no-index='1'\nglobal.timeout='9'"
    settings = in_words_of_uv(listed, {name: "https://own"})
    assert settings.variables == {"UV_HTTP_TIMEOUT": "9", "UV_SYSTEM_CERTS": "true"}
    assert settings.arguments == []


def test_what_uv_is_told_already_stays() -> None:
    own = {"UV_HTTP_TIMEOUT": "5", "UV_SYSTEM_CERTS": "false", "SSL_CERT_FILE": "/own.pem"}
    assert in_words_of_uv("global.timeout='9'\nglobal.cert='/pip.pem'", own).variables == {
        "UV_INDEX_STRATEGY": "unsafe-best-match"
    }


def test_connections_are_made_as_pip_makes_them() -> None:
    listed = (
        ":env:.default-timeout='180'\nglobal.retries='7'\nglobal.client-cert='/me.pem'\n"
        "global.keyring-provider='subprocess'\n:env:.no-cache-dir='1'"
    )
    assert variables(listed) == {
        "UV_HTTP_TIMEOUT": "180",
        "UV_HTTP_RETRIES": "7",
        "SSL_CLIENT_CERT": "/me.pem",
        "UV_KEYRING_PROVIDER": "subprocess",
        "UV_NO_CACHE": "true",
    }


def test_pip_s_proxy_wins_over_the_variables() -> None:
    said = variables("global.proxy='http://proxy.example:3128'", HTTPS_PROXY="http://other.example")
    assert said["HTTPS_PROXY"] == said["https_proxy"] == said["HTTP_PROXY"] == "http://proxy.example:3128"
    assert variables("", HTTPS_PROXY="http://other.example") == {}


def test_certificates_are_a_file_or_a_folder_of_pip_s_or_of_requests(tmp_path: Path) -> None:
    assert variables("global.cert='/company.pem'") == {"SSL_CERT_FILE": "/company.pem"}
    assert variables(f"global.cert={str(tmp_path)!r}") == {"SSL_CERT_DIR": str(tmp_path)}
    assert variables("", REQUESTS_CA_BUNDLE="/company.pem") == {"SSL_CERT_FILE": "/company.pem"}


def test_constraints_are_left_out_since_a_lock_has_one_version_of_each() -> None:
    assert variables("global.constraint='/constraints.txt'") == {}
