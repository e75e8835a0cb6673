"""Where the client looks for omnid, and what it refuses."""

import base64
import os

import pytest

from omnid_client import ConfigError, Connection, TLSEndpoint, UnixEndpoint, parse_endpoint
from omnid_client._config import config_file, connection, standard_endpoint

PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
KEY = "-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----\n"


def write(text, mode=0o600):
    file = config_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(mode)
    return file


@pytest.mark.parametrize("text, endpoint", [
    ("unix:/run/omnid/omnid.sock", UnixEndpoint("/run/omnid/omnid.sock")),
    ("unix:///run/omnid/omnid.sock", UnixEndpoint("/run/omnid/omnid.sock")),
    ("/run/omnid/omnid.sock", UnixEndpoint("/run/omnid/omnid.sock")),
    ("tls:omnid.example:8443", TLSEndpoint("omnid.example", 8443)),
    ("unix-abstract:omnid", UnixEndpoint("@omnid")),
    ("tls:[::1]:8443", TLSEndpoint("[::1]", 8443)),
])
def test_an_endpoint_is_written_as_for_omnictl(text, endpoint):
    assert parse_endpoint(text) == endpoint


@pytest.mark.parametrize("text", [
    "", "unix:", "unix-abstract:", "omnid.example:8443", "https://omnid.example", "tls:omnid.example", "tls::8443", "tls:host:0",
    "tls:host:65536", "tls:::1:8443", "tls:[host]:1", "tls:host:١"])
def test_an_endpoint_that_is_none_is_named(text):
    with pytest.raises(ConfigError, match="endpoint"):
        parse_endpoint(text)


def test_without_a_word_it_is_the_socket_of_the_user(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert standard_endpoint() == UnixEndpoint("/run/omnid/omnid.sock")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/mine")
    assert standard_endpoint() == UnixEndpoint("/run/mine/omnid/omnid.sock")
    monkeypatch.setenv("XDG_RUNTIME_DIR", "relative")
    assert standard_endpoint() == UnixEndpoint("/run/user/1000/omnid/omnid.sock")
    assert connection() == Connection(standard_endpoint())


def test_what_is_said_last_counts_least(monkeypatch):
    write("context: b\ncontexts:\n  a: {endpoint: unix:/a}\n  b: {endpoint: unix:/b}\n")
    assert connection().endpoint == UnixEndpoint("/b")
    monkeypatch.setenv("OMNI_ENDPOINT", "unix:/environment")
    assert connection().endpoint == UnixEndpoint("/environment")
    assert connection(context="a").endpoint == UnixEndpoint("/a")
    assert connection("unix:/said").endpoint == UnixEndpoint("/said")


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def test_a_context_says_who_calls(monkeypatch):
    write("contexts:\n  prod:\n    endpoint: tls:omnid.example:8443\n    server-name: omnid\n"
          f"    ca: {encoded(PEM)}\n    crt: {encoded(PEM)}\n    key: {encoded(KEY)}\n")
    found = connection(context="prod")
    assert found == Connection(TLSEndpoint("omnid.example", 8443), ca=PEM.encode(), server_name="omnid",
                               certificate=PEM.encode(), key=KEY.encode())
    assert "secret" not in repr(found)
    assert connection("tls:omnid.example:8443") == found, "the context with this endpoint is meant"
    assert connection("tls:other:1", context="prod").endpoint == TLSEndpoint("other", 1)
    monkeypatch.setenv("OMNI_ENDPOINT", "tls:omnid.example:8443")
    assert connection() == found
    with pytest.raises(ConfigError, match="no context in .* is for tls:other:1"):
        connection("tls:other:1")


def test_another_file_may_be_named(monkeypatch, tmp_path):
    (tmp_path / "other.yaml").write_text("context: a\ncontexts: {a: {endpoint: 'unix:/a', token: abc}}\n")
    (tmp_path / "other.yaml").chmod(0o600)
    monkeypatch.setenv("OMNICTL_CONFIG", str(tmp_path / "other.yaml"))
    assert connection() == Connection(UnixEndpoint("/a"), token="abc")


@pytest.mark.parametrize("text, problem", [
    ("- a\n", "holds no contexts"),
    ("contexts: []\n", "holds no contexts"),
    ("", "no context 'prod'; there are: none"),
    ("contexts: {}\n", "no context 'prod'; there are: none"),
    ("contexts: {a: {}, b: {}}\n", "no context 'prod'; there are: a, b"),
    ("contexts: {prod: {}}\n", "no endpoint"),
    ("contexts: {prod: {endpoint: 5}}\n", "not a text"),
    ("contexts: {prod: {endpoint: 'tls:h:1', crt: '%%%', key: x}}\n", "context 'prod': crt is not PEM"),
    ("a: [\nsecret", "is not YAML"),
    ("x: " + "a" * (1 << 20), "larger than"),
])
def test_a_file_that_cannot_be_used_is_refused_without_its_contents(text, problem):
    write(text)
    with pytest.raises(ConfigError, match=problem) as caught:
        connection(context="prod")
    assert "secret" not in str(caught.value)


def test_a_file_that_others_may_read_is_refused():
    text = "contexts: {prod: {endpoint: 'tls:h:1', token: abc}}\n"
    write(text, 0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        connection(context="prod")
    write(text)
    assert connection(context="prod").token == "abc"


def test_a_certificate_needs_its_key_and_a_socket_neither():
    with pytest.raises(ConfigError, match="go together"):
        Connection(TLSEndpoint("h", 1), certificate=b"x")
    with pytest.raises(ConfigError, match="has no TLS"):
        Connection(UnixEndpoint("/a"), ca=b"x")
