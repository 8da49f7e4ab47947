"""Writes down what the functions of a local stack receive, one event after the other, for `tools.capture_events`."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from typing import Any

from tools.emulator import ROOT
from tools.stack import Stack

EVENTS = ROOT / "events"

RECORDER = """
import json, pathlib, time
import recorded

def lambda_handler(event, context):
    pathlib.Path({folder!r}, str(time.time_ns())).write_text(json.dumps(event))
    return recorded.lambda_handler(event, context)
"""


class Recording:
    """A stack whose functions write down what they receive."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.stack = stack
        self.folder = folder
        self.taken: set[Path] = set()

    def call(self, method: str, path: str, body: Any = None, *, status: int = 200, **headers: str) -> Any:
        """The API's answer, which must have this status."""
        request = urllib.request.Request(
            self.stack.api_url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"User-Agent": "Mozilla/5.0", "Referer": "https://petition.example.org/bees?from=mail", **headers},
        )
        if body is not None:
            request.add_header("Content-Type", "application/json")
        try:
            answer = urllib.request.urlopen(request, timeout=30)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            text = answer.read().decode()
            if answer.status != status:
                raise SystemExit(f"{method} {path} answered {answer.status}, not {status}: {text}")
            return json.loads(text)

    def admin(self, *command: str) -> Any:
        """What `python -m proca_common.admin` answers."""
        environ = {**os.environ, **self.stack.environ, "PYTHONPATH": str(ROOT / "layers" / "proca_common")}
        line = [sys.executable, "-m", "proca_common.admin", "--json", *command]
        done = subprocess.run(line, env=environ, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        return json.loads(done.stdout)

    def keep(self, name: str, seconds: float = 5) -> None:
        """Writes the next event that the function of this file name received."""
        deadline = time.monotonic() + seconds
        while not (found := sorted(set((self.folder / name.partition("-")[0]).iterdir()) - self.taken)):
            if time.monotonic() > deadline:
                raise SystemExit(f"no event came for {name}")
            time.sleep(0.1)
        self.taken.add(found[0])
        event = self.normalised(json.loads(found[0].read_text()))
        (EVENTS / f"{name}.json").write_text(json.dumps(event, indent=2, ensure_ascii=False) + "\n")
        print(f"events/{name}.json")

    def normalised(self, event: Any) -> Any:
        """The event without what is of this machine or this moment only."""
        text = json.dumps(event)
        text = re.sub(r"127\.0\.0\.1:\d+", "api.example.org", text).replace('"127.0.0.1"', '"192.0.2.1"')
        ids = list(dict.fromkeys(re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", text)))
        for number, found in enumerate(ids):
            text = text.replace(found, str(uuid.UUID(int=number + 1)))
        return json.loads(text)


def wrapped(template: Path, temporary: Path) -> Path:
    """A copy of the build in which each function first writes down its event."""
    copy = temporary / "build"
    shutil.copytree(template.parent, copy)
    for app in copy.glob("*/app.py"):
        app.rename(app.with_name("recorded.py"))
        words = re.findall("[A-Z][a-z]*", app.parent.name.removesuffix("Function"))
        folder = temporary / "received" / "_".join(words).lower()
        folder.mkdir(parents=True)
        app.write_text(RECORDER.format(folder=str(folder)))
    return copy / template.name
