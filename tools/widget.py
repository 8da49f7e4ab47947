"""Serves examples/widget on this machine, as a careful org would: from one place, under a strict security policy.

    with served(stack.api_url) as address:  # in tests
        browser.get(f"{address}/?page=1")

`make up` runs it beside the local stack (`start`, `stop`), with a page that may be signed (`demo_page`).
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from tools import emulator
from tools.client import Client, Refused
from tools.emulator import ROOT

FOLDER = ROOT / "examples" / "widget"
RECORD = "widget.json"
MARK = "tools.widget"
START_SECONDS = 10
PAGE_NAME = "bees/sign"
KEYS = "bees.keys"
PAGE_FILE = "page.json"


def policy(api_url: str) -> str:
    """What the page may do: load its own files, ask the API and this site, nothing else."""
    api = urlsplit(api_url)
    own = ("script-src", "style-src", "img-src", "worker-src")
    return "; ".join(
        [
            "default-src 'none'",
            *(f"{kind} 'self'" for kind in own),
            f"connect-src 'self' {api.scheme}://{api.netloc}",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


WORKER_POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'"
"""What a worker that solves challenges may do: compile what it has in it."""


class Handler(SimpleHTTPRequestHandler):
    """The files of examples/widget; index.html names the API, and the file with the page if the site has it."""

    def __init__(self, *arguments: object, api_url: str, page: bytes | None = None) -> None:
        self.api_url, self.page = api_url, page
        super().__init__(*arguments, directory=str(FOLDER))  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """The page with `data-api` set, or a file."""
        path = urlsplit(self.path).path
        if path in {"/", "/index.html"}:
            self._send("text/html; charset=utf-8", self._index().encode())
        elif path == f"/{PAGE_FILE}" and self.page is not None:
            self._send("application/json", self.page)
        else:
            super().do_GET()

    def _index(self) -> str:
        index = re.sub('data-api="[^"]*"', f'data-api="{self.api_url}"', (FOLDER / "index.html").read_text())
        return index if self.page is None else index.replace('data-static=""', f'data-static="{PAGE_FILE}"')

    def _send(self, kind: str, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def end_headers(self) -> None:
        """Adds what every answer has."""
        is_worker = self.path.startswith("/vendor/")
        self.send_header("Content-Security-Policy", WORKER_POLICY if is_worker else policy(self.api_url))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Says nothing: a log of visitors is personal data."""


def server(api_url: str, port: int = 0, page: bytes | None = None) -> ThreadingHTTPServer:
    """Listens on loopback; 0 is any free port."""
    return ThreadingHTTPServer(("127.0.0.1", port), partial(Handler, api_url=api_url, page=page))


@contextlib.contextmanager
def served(api_url: str, page: bytes | None = None) -> Iterator[str]:
    """The address of the widget, without a slash at the end, for as long as this lasts. `page`: what the site keeps of
    the API as a file.
    """
    with server(api_url, page=page) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_address[1]}"
        finally:
            listening.shutdown()
            thread.join()


def start(folder: Path, api_url: str) -> str:
    """The address of the page; its server goes on after this process, until `stop`. Does nothing where it runs."""
    with contextlib.suppress(OSError, ValueError, KeyError):
        record = json.loads((folder / RECORD).read_text())
        if record["api_url"] == api_url and emulator.alive(record["pid"], MARK):
            return str(record["address"])
    stop(folder)
    port = emulator.free_ports()[0]
    process = subprocess.Popen(
        [sys.executable, "-m", MARK, api_url, str(port)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    address = f"http://127.0.0.1:{port}"
    (folder / RECORD).write_text(json.dumps({"pid": process.pid, "address": address, "api_url": api_url}))
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(address, timeout=2).close()
            return address
        time.sleep(0.05)
    stop(folder)
    raise RuntimeError("the widget's server did not start")


def stop(folder: Path) -> None:
    """Ends the server that `folder` records; nothing where none runs."""
    with contextlib.suppress(OSError, ValueError, KeyError):
        record = json.loads((folder / RECORD).read_text())
        if emulator.alive(record["pid"], MARK):
            os.kill(record["pid"], signal.SIGTERM)
    (folder / RECORD).unlink(missing_ok=True)


def demo_page(client: Client, folder: Path) -> int:
    """The id of a page that may be signed: of an org with a key whose private part is in `folder`, made if it is not
    there.
    """
    with contextlib.suppress(Refused):
        return int(client.admin("page", "show", PAGE_NAME)["id"])
    client.admin("setup")
    client.admin("org", "create", "bees", "--title", "Bee Guardians", "--encryption", "encrypted")
    key = client.admin("key", "generate", "bees", "main")
    keys = folder / KEYS
    keys.touch(0o600)
    keys.write_text(key["private"] + "\n")
    client.admin("key", "activate", "bees", str(key["id"]), "--no-wait")
    words = {"goal": 100, "text": "Bees and meadows belong together. We ask the city to let its parks flower."}
    config = f"config={json.dumps(words)}"
    client.admin("campaign", "create", "meadows", "--title", "Let our parks flower", "--org", "bees", config)
    page = client.admin("page", "create", PAGE_NAME, "--org", "bees", "--campaign", "meadows")
    return int(page["id"])


if __name__ == "__main__":
    server(sys.argv[1], int(sys.argv[2])).serve_forever()
