"""Where omnid is and who to be there: the same places and the same file as omnictl reads."""

from __future__ import annotations

import base64
import binascii
import os
import stat
from dataclasses import dataclass, field, replace
from pathlib import Path

import yaml

from .errors import ConfigError

# A configuration file holds some certificates: what is larger is none.
_LARGEST_FILE = 1 << 20


@dataclass(frozen=True)
class UnixEndpoint:
    """A Unix socket."""

    path: str
    """Where it is; behind ``@`` the name of an abstract one."""

    @property
    def target(self) -> str:
        return f"unix-abstract:{self.path[1:]}" if self.path.startswith("@") else f"unix:{self.path}"


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
    server_name: str | None = None
    """What the server's certificate is for, if not the endpoint's host."""
    certificate: bytes | None = None
    key: bytes | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise ConfigError("a client certificate and its key go together: one of them is missing")
        if isinstance(self.endpoint, UnixEndpoint) and (self.certificate or self.ca):
            raise ConfigError("a Unix socket has no TLS: leave out ca, certificate and key")


def parse_endpoint(text: str) -> Endpoint:
    """What ``--endpoint`` of omnictl takes: ``unix:PATH``, an absolute path, ``unix-abstract:NAME``, ``tls:HOST:PORT``."""
    if text.startswith("/"):
        return UnixEndpoint(text)
    scheme, _, rest = text.partition(":")
    if scheme == "unix":
        path = rest.removeprefix("//")
        if path:
            return UnixEndpoint(path)
        raise ConfigError(f"endpoint '{text}' names no socket: write unix:PATH")
    if scheme == "unix-abstract" and rest:
        return UnixEndpoint(f"@{rest}")
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
    """Where omnictl keeps the contexts."""
    named = os.environ.get("OMNICTL_CONFIG")
    if named:
        return Path(named)
    directory = os.environ.get("XDG_CONFIG_HOME", "")
    base = Path(directory) if directory.startswith("/") else Path.home() / ".config"
    return base / "omni" / "config.yaml"


def connection(endpoint: str | None = None, context: str | None = None) -> Connection:
    """The connection that is meant: the context, else the endpoint or ``OMNI_ENDPOINT``, else the current context,
    else the Unix socket on which omnid listens when it is told nothing.

    An endpoint beside a context takes the place of the context's own. A ``tls:`` endpoint alone is shown what the
    context with this endpoint holds.
    """
    file = config_file()
    if context is not None:
        chosen = _Contexts(file).connection(context)
        return replace(chosen, endpoint=parse_endpoint(endpoint)) if endpoint is not None else chosen
    given = endpoint if endpoint is not None else (os.environ.get("OMNI_ENDPOINT") or None)
    if given is not None:
        where = parse_endpoint(given)
        return Connection(where) if isinstance(where, UnixEndpoint) else _Contexts(file).known(where)
    if file.exists():
        contexts = _Contexts(file)
        if contexts.current is not None:
            return contexts.connection(contexts.current)
    return Connection(standard_endpoint())


class _Contexts:
    """The file that ``omnictl context add`` writes."""

    def __init__(self, file: Path):
        self._file = file
        try:
            with file.open("rb") as opened:
                mode = stat.S_IMODE(os.fstat(opened.fileno()).st_mode)
                text = opened.read(_LARGEST_FILE + 1)
            if mode & 0o077:
                raise ConfigError(f"others may read {file}, which is for keys and tokens: chmod 600 {file}")
            if len(text) > _LARGEST_FILE:
                raise ConfigError(f"{file} is larger than {_LARGEST_FILE} bytes")
            document = yaml.safe_load(text) or {}
        except FileNotFoundError:
            document = {}
        except OSError as error:
            raise ConfigError(f"{file} cannot be read: {error.strerror}") from error
        except (yaml.YAMLError, UnicodeDecodeError):
            # Without the error's own text, which quotes the file: it may hold a key.
            raise ConfigError(f"{file} is not YAML") from None
        contexts = document.get("contexts", {}) if isinstance(document, dict) else None
        if not isinstance(contexts, dict):
            raise ConfigError(f"{file} holds no contexts")
        self._contexts: dict[object, object] = contexts
        self.current: str | None = document.get("context")

    def connection(self, name: str) -> Connection:
        chosen = self._contexts.get(name)
        if not isinstance(chosen, dict):
            known = ", ".join(sorted(map(str, self._contexts))) or "none"
            raise ConfigError(f"{self._file} has no context '{name}'; there are: {known}")
        entry = _Entry(chosen, f"{self._file}: context '{name}'")
        where = entry.text("endpoint")
        if where is None:
            raise ConfigError(f"{self._file}: context '{name}' has no endpoint")
        endpoint = parse_endpoint(where)
        token = entry.text("token")
        if isinstance(endpoint, UnixEndpoint):
            return Connection(endpoint, token=token)
        return Connection(
            endpoint, ca=entry.pem("ca"), server_name=entry.text("server-name"), certificate=entry.pem("crt"),
            key=entry.pem("key"), token=token)

    def known(self, endpoint: TLSEndpoint) -> Connection:
        """What the context with that endpoint holds, the current one first."""
        for name in sorted(map(str, self._contexts), key=lambda name: name != self.current):
            try:
                found = self.connection(name)
            except ConfigError:
                continue
            if found.endpoint == endpoint:
                return found
        raise ConfigError(
            f"no context in {self._file} is for tls:{endpoint.host}:{endpoint.port}: make one with omnictl context add, "
            "or give Client a Connection")


class _Entry:
    """One context: texts, and PEM texts in base64, as in a talosconfig."""

    def __init__(self, values: dict[object, object], where: str):
        self._values, self._where = values, where

    def text(self, name: str) -> str | None:
        value = self._values.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise ConfigError(f"{self._where}: {name} is not a text")
        return value

    def pem(self, name: str) -> bytes | None:
        value = self.text(name)
        if value is None:
            return None
        try:
            decoded = base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            decoded = b""
        if b"-----BEGIN " not in decoded:
            raise ConfigError(f"{self._where}: {name} is not PEM in base64")
        return decoded
