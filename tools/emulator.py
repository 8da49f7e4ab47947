"""MiniStack: AWS on one loopback port, where the project runs and is tested without an account.

    with emulator() as aws:
        aws.client("sqs").list_queues()

It checks signatures, policies and roles (AUTH), so that a function whose role lacks an action fails here as it would on
AWS. The credentials given out here are those of the account's root.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCAL = ROOT / ".local"
MINISTACK = LOCAL / "venv-emulator" / "bin" / "ministack"

REGION = "eu-central-1"
START_SECONDS = 30
STOP_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running MiniStack and the folder that holds its log, its temporary files and its record (emulator.json)."""

    endpoint: str
    pid: int
    folder: Path

    def environ(self) -> dict[str, str]:
        """The variables with which any AWS client, `sam` or `aws` talks to it."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
        }

    def client(self, service: str) -> Any:
        """A boto3 client, whatever the environment says."""
        import boto3  # noqa: PLC0415  takes longer than all else here, and `status` needs none

        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106  the emulator's own, known to all
        )

    def reset(self) -> None:
        """Forgets everything: tables, queues, functions, stacks."""
        urllib.request.urlopen(
            urllib.request.Request(f"{self.endpoint}/_ministack/reset", method="POST"), timeout=30
        ).close()

    def logs(self) -> str:
        """What MiniStack itself wrote; the functions' logs are in CloudWatch Logs."""
        return (self.folder / "emulator.log").read_text(errors="replace")


@contextlib.contextmanager
def emulator() -> Iterator[Emulator]:
    """A fresh, empty MiniStack on a free port, stopped and wiped at the end, also when this process is killed."""
    LOCAL.mkdir(exist_ok=True)
    stop_orphans()
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=LOCAL))
    with (folder / "owner.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield start(folder, attached=True)
        finally:
            stop(folder)
            shutil.rmtree(folder, ignore_errors=True)


def stop_orphans() -> None:
    """Stops what an earlier `emulator()` left behind: its owner is gone when its lock is free."""
    for folder in LOCAL.glob("run-*"):
        with contextlib.suppress(OSError), (folder / "owner.lock").open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            stop(folder)
            shutil.rmtree(folder, ignore_errors=True)


def start(folder: Path, *, attached: bool) -> Emulator:
    """Starts MiniStack with its files in `folder`; `attached` ends it with this process."""
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / "tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    if not MINISTACK.exists():
        raise SystemExit("The local stack is not installed: run `make setup`.")
    port = free_port()
    with (folder / "emulator.log").open("w") as log:
        process = subprocess.Popen(
            [MINISTACK],
            env=settings(port, temporary),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=end_with_parent if attached and sys.platform == "linux" else None,  # noqa: PLW1509  one call, no lock taken
        )
    started = Emulator(f"http://127.0.0.1:{port}", process.pid, folder)
    (folder / "emulator.json").write_text(json.dumps({"pid": process.pid, "endpoint": started.endpoint}))
    try:
        wait_until_healthy(started, process)
    except BaseException:
        stop(folder)
        raise
    return started


def settings(port: int, temporary: Path) -> Mapping[str, str]:
    """MiniStack's environment, and only that: functions inherit it, and must not see more than on AWS."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(temporary),
        "LANG": "C.UTF-8",
        "TMPDIR": str(temporary),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_REGION": REGION,
        "AUTH": "true",
        "LAMBDA_ACCOUNT_CONCURRENCY": "100",
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
    }


def wait_until_healthy(started: Emulator, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"{started.endpoint}/_ministack/health", timeout=2).close()
            return
        time.sleep(0.05)
    raise RuntimeError(f"MiniStack did not start:\n{started.logs()[-3000:]}")


def stop(folder: Path) -> None:
    """Stops the MiniStack of `folder` and the functions it runs, and wipes their files; nothing where none runs."""
    found = running(folder)
    if found is not None:
        os.kill(found.pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline and alive(found.pid):
            time.sleep(0.05)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(found.pid, signal.SIGKILL)
    (folder / "emulator.json").unlink(missing_ok=True)
    shutil.rmtree(folder / "tmp", ignore_errors=True)


def running(folder: Path) -> Emulator | None:
    """The MiniStack that `folder` records, None when it is gone or its number belongs to another process by now."""
    try:
        record = json.loads((folder / "emulator.json").read_text())
    except (OSError, ValueError):
        return None
    return Emulator(record["endpoint"], record["pid"], folder) if alive(record["pid"]) else None


def alive(pid: int) -> bool:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # a child that has ended stays listed until it is waited for
    if Path("/proc/self").exists():
        with contextlib.suppress(OSError):
            return b"ministack" in Path(f"/proc/{pid}/cmdline").read_bytes()
        return False
    return (
        "ministack"
        in subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def end_with_parent() -> None:
    """Asks Linux to end this process when the one that started it ends, in whatever way (PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
