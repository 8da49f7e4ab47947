"""Where the API is and who asks: options, else the environment, else the file that `login` wrote."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from proca_common.cli.api import Api, bearer
from proca_common.cli.errors import NOT_ALLOWED, Failed, Misused

URL_VARIABLE, TOKEN_VARIABLE = "PROCA_API_URL", "PROCA_API_TOKEN"
OTHERS = stat.S_IRWXG | stat.S_IRWXO


class NotLoggedIn(Failed):
    """Nobody said who asks."""

    exit_status = NOT_ALLOWED


@dataclass(frozen=True, slots=True)
class Login:
    """An API token, the number under which its user may take it back, and the address that it is for."""

    api: str
    token: str
    number: str


@dataclass(frozen=True, slots=True)
class Config:
    """What is known before anything is asked. `given_url`, `given_token`: from options or the environment."""

    file: Path
    given_url: str | None
    given_token: str | None
    login: Login | None

    @property
    def url(self) -> str:
        """Where the API is. Raises `Misused`."""
        found = self.given_url or (self.login.api if self.login else None)
        if not found:
            raise Misused(f"say where the API is: --api URL, {URL_VARIABLE}, or log in")
        return found.rstrip("/")

    @property
    def token(self) -> str | None:
        """What says who asks; the stored one only at the address that it was made for."""
        if self.given_token:
            return self.given_token
        return self.login.token if self.login and self.login.api == self.url else None

    def api(self, *, anonymous: bool = False) -> Api:
        """The API as the user. Raises `NotLoggedIn` unless it may be asked by anybody."""
        if anonymous:
            return Api(self.url)
        if not self.token:
            raise NotLoggedIn(f"not logged in at {self.url}: run `login`, or set {TOKEN_VARIABLE}")
        return Api(self.url, bearer(self.token))


def read(environ: Mapping[str, str], url: str | None = None, token_file: Path | None = None) -> Config:
    """What options, environment and file say. Raises `Failed` for a file that others may read."""
    file = folder(environ) / "config.json"
    token = environ.get(TOKEN_VARIABLE)
    if token_file is not None:
        try:
            token = token_file.read_text().strip()
        except OSError as error:
            raise Misused(f"{token_file}: {error.strerror}") from None
    return Config(file, url or environ.get(URL_VARIABLE), token, _stored(file))


def folder(environ: Mapping[str, str]) -> Path:
    """The folder for the user's own settings (XDG base directories; APPDATA on Windows)."""
    base = environ.get("XDG_CONFIG_HOME") or environ.get("APPDATA")
    return (Path(base) if base else Path.home() / ".config") / "proca"


def store(file: Path, login: Login) -> None:
    """Keep a login where only the user reads it; what was there is replaced in one step."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = file.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as opened:
        json.dump(asdict(login), opened)
    fresh.replace(file)


def forget(file: Path) -> None:
    """Keep no login."""
    file.unlink(missing_ok=True)


def append_secret(file: Path, line: str) -> None:
    """Add a line to a file that only the user reads, which is made where it is not there. Raises `OSError`."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with os.fdopen(os.open(file, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600), "w") as opened:
        file.chmod(0o600)
        if line:
            opened.write(f"{line}\n")
            opened.flush()
            os.fsync(opened.fileno())


def _stored(file: Path) -> Login | None:
    try:
        if os.name == "posix" and file.stat().st_mode & OTHERS:
            raise Failed(f"others may read {file}: chmod 600 it, or log in anew after removing it")
        return Login(**json.loads(file.read_text()))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError):
        raise Failed(f"{file} cannot be read: remove it and log in") from None
