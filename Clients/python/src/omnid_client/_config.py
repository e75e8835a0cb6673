"""Where omnid is and who to be there: the same places and the same file as omnictl reads."""

from __future__ import annotations

import base64
import binascii
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from .errors import ConfigError

# A configuration file holds some certificates: what is larger is none.
_LARGEST_FILE = 1 << 20


@dataclass(frozen=True)
class UnixEndpoint:
    """A Unix socket."""

    path: str

    @property
    def target(self) -> str:
        return f"unix:{self.path}"


@dataclass(frozen=True)
class TLSEndpoint:
    """A server that is reached over TLS."""

    host: str
    port: int

    @property
    def target(self) -> str:
        return f"dns:///{self.host}:{self.port}"


Endpoint = UnixEndpoint | TLSEndpoint


@dataclass(frozen=True)
class Connection:
    """An endpoint, and how to show who calls. Certificates and keys are PEM."""

    endpoint: Endpoint
    ca: bytes | None = None
    """Who may vouch for the server; None: whoever the system trusts."""
    certificate: bytes | None = None
    key: bytes | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise ConfigError("a client certificate and its key go together: one of them is missing")
        if isinstance(self.endpoint, UnixEndpoint) and (self.certificate or self.token or self.ca):
            raise ConfigError("on a Unix socket the kernel says who calls: leave out ca, certificate, key and token")


def parse_endpoint(text: str) -> Endpoint:
    """What ``--endpoint`` of omnictl takes: ``unix:PATH``, an absolute path, ``tls:HOST:PORT``."""
    if text.startswith("/"):
        return UnixEndpoint(text)
    scheme, _, rest = text.partition(":")
    if scheme == "unix":
        path = rest.removeprefix("//")
        if path:
            return UnixEndpoint(path)
        raise ConfigError(f"endpoint '{text}' names no socket: write unix:PATH")
    if scheme == "tls":
        host, colon, port = rest.rpartition(":")
        bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        if colon and bare and port.isascii() and port.isdigit() and 0 < int(port) < 65536 \
                and (bare == host) == (":" not in bare):
            return TLSEndpoint(host, int(port))
        raise ConfigError(f"endpoint '{text}' is not written tls:HOST:PORT (an IPv6 address in brackets)")
    raise ConfigError(f"endpoint '{text}' is written neither unix:PATH nor tls:HOST:PORT")


def standard_endpoint() -> Endpoint:
    """Where omnid listens when it is told nothing else."""
    user = os.geteuid()
    if user == 0:
        return UnixEndpoint("/run/omnid/omnid.sock")
    directory = os.environ.get("XDG_RUNTIME_DIR", "")
    if not directory.startswith("/"):
        directory = f"/run/user/{user}"
    return UnixEndpoint(f"{directory}/omnid/omnid.sock")


def config_file() -> Path:
    """Where the contexts are kept."""
    directory = os.environ.get("XDG_CONFIG_HOME", "")
    base = Path(directory) if directory.startswith("/") else Path.home() / ".config"
    return base / "omni" / "config.yaml"


def connection(endpoint: str | None = None, context: str | None = None) -> Connection:
    """The connection that the arguments mean, else the environment, else the configuration file."""
    file = config_file()
    given = endpoint if endpoint is not None else (os.environ.get("OMNI_ENDPOINT") or None)
    if context is None:
        if given is not None:
            return Connection(parse_endpoint(given))
        if not file.exists():
            return Connection(standard_endpoint())
    return _load(file, context, endpoint)


def _load(file: Path, name: str | None, endpoint: str | None) -> Connection:
    try:
        with file.open("rb") as opened:
            mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
            text = opened.read(_LARGEST_FILE + 1)
        if len(text) > _LARGEST_FILE:
            raise ConfigError(f"{file} is larger than {_LARGEST_FILE} bytes")
        document = yaml.safe_load(text)
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        # Not the error's own text: it quotes the file, which may hold a key.
        raise ConfigError(f"{file} is not YAML") from error
    if not isinstance(document, dict):
        raise ConfigError(f"{file} holds no contexts")
    contexts = document.get("contexts") or {}
    name = name or document.get("context")
    if not name:
        return Connection(parse_endpoint(endpoint) if endpoint is not None else standard_endpoint())
    if not isinstance(contexts, dict) or not isinstance(contexts.get(name), dict):
        known = ", ".join(sorted(map(str, contexts))) if isinstance(contexts, dict) and contexts else "none"
        raise ConfigError(f"{file} has no context '{name}'; there are: {known}")
    chosen: dict[str, object] = contexts[name]

    def text_of(key: str) -> str | None:
        value = chosen.get(key)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise ConfigError(f"{file}: {key} of context '{name}' is not a text")
        return value

    def pem_of(key: str) -> bytes | None:
        value = text_of(key)
        if value is None:
            return None
        if value.lstrip().startswith("-----BEGIN "):
            return value.encode()
        try:
            decoded = base64.b64decode("".join(value.split()), validate=True)
        except (binascii.Error, ValueError):
            decoded = b""
        if decoded.lstrip().startswith(b"-----BEGIN "):
            return decoded
        raise ConfigError(f"{file}: {key} of context '{name}' is not PEM, nor PEM in base64")

    where = endpoint if endpoint is not None else text_of("endpoint")
    if where is None:
        raise ConfigError(f"{file}: context '{name}' has no endpoint")
    if (text_of("key") or text_of("token")) and mode & 0o077:
        raise ConfigError(f"{file} holds a key or a token and others may read it: chmod 600 {file}")
    return Connection(parse_endpoint(where), ca=pem_of("ca"), certificate=pem_of("certificate"), key=pem_of("key"),
                      token=text_of("token"))
