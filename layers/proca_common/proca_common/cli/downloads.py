"""Files of exports on the command line: asked for, waited for, written to a file that only its owner can read."""

from __future__ import annotations

import os
import shutil
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

from proca_common.cli import given
from proca_common.cli.api import LOOPBACK, Api, below
from proca_common.cli.config import Config
from proca_common.cli.errors import Failed, Unreachable
from proca_common.cli.output import Progress

Json = dict[str, Any]
FILES = "/orgs/{org}/exports"
UNDER_WAY = ("waiting", "running")
PAUSE_S = 2.0
ANSWER_S = 60


def exports_create(args: Namespace, known: Config) -> Json:
    """Have a file of actions or contacts written; with --to wait until it is there, and fetch it."""
    api, path = known.api(), below(FILES, {"org": args.org})
    wanted = given.settings(args.settings, args.body)
    if args.to is None:
        begun: Json = api.call("POST", path, wanted).body
        return begun
    with _new_file(args.to) as file:
        number = api.call("POST", path, wanted).body["id"]
        return {**_fetch(api, args.org, number, file), "file": str(args.to)}


def exports_download(args: Namespace, known: Config) -> Json:
    """Fetch a file, once it is ready."""
    with _new_file(args.file) as file:
        return {**_fetch(known.api(), args.org, args.export, file), "file": str(args.file)}


def _fetch(api: Api, org: str, export: object, file: IO[bytes]) -> Json:
    ready = _ready(api, below(f"{FILES}/{{export}}", {"org": org, "export": export}))
    link = str(ready.pop("link"))
    parts = urlsplit(link)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise Failed("the link to the file does not begin with https://")
    try:
        with urlopen(link, timeout=ANSWER_S) as answer:  # noqa: S310 - the scheme was checked
            shutil.copyfileobj(answer, file)
    except HTTPError as error:
        with error:
            raise Failed(f"the file cannot be fetched: {error.code} {error.reason}") from None
    except (URLError, HTTPException, OSError) as error:
        raise Unreachable(f"the file cannot be fetched: {type(error).__name__}") from None
    if file.tell() != ready["bytes"]:
        raise Unreachable(f"the file broke off after {file.tell()} of {ready['bytes']} bytes")
    return ready


def _ready(api: Api, path: str) -> Json:
    """The record of a file that is ready. Raises `Failed` for one that never will be."""
    with Progress("% looked through", 100) as progress:
        while True:
            found: Json = api.call("GET", path).body
            progress.at(round(100 * found["share"]))
            if found["state"] not in UNDER_WAY:
                break
            time.sleep(PAUSE_S)
    if found["state"] != "ready":
        raise Failed(f"there is no such file any more: it is {found['state']}")
    return found


@contextmanager
def _new_file(path: Path) -> Iterator[IO[bytes]]:
    """A file that was not there before, and is not after a failure. Raises `Failed`."""
    try:
        file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except OSError as error:
        raise Failed(f"{path}: {error.strerror}") from None
    try:
        with file:
            yield file
    except BaseException:
        path.unlink(missing_ok=True)
        raise
