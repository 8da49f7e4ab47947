"""MiniStack: AWS on one loopback port, where the project runs and is tested without an account.

    with emulator() as aws:
        aws.client("sqs").list_queues()

It checks signatures, policies and roles (AUTH), so that a function whose role lacks an action fails here as it would on
AWS. Clients talk to it over TLS, since the policies of the orgs' queues refuse all else; the deployed API, which
anybody may call, is served in clear text too.
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
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

ROOT = Path(__file__).resolve().parent.parent
LOCAL = ROOT / ".local"
PYTHON = LOCAL / "venv-emulator" / "bin" / "python"

REGION = "eu-central-1"
ROOT_KEY = "test"
START_SECONDS = 30
STOP_SECONDS = 1  # it waits for open connections, and keeps nothing that a kill could harm


@dataclass(frozen=True, slots=True)
class Emulator:
    """A running MiniStack and the folder that holds its log, its temporary files and its record (emulator.json).

    `endpoint` is http, `tls_endpoint` https with the `certificate` that vouches for itself.
    """

    endpoint: str
    tls_endpoint: str
    pid: int
    folder: Path

    @property
    def certificate(self) -> Path:
        return self.folder / "tls.crt"

    def environ(self, account: str = ROOT_KEY) -> dict[str, str]:
        """The variables with which any AWS client, `sam` or `aws` talks to it, over TLS.

        As the root of the stack's account, or of another `account` (12 digits), with what policies give that one.
        """
        return {
            "AWS_ENDPOINT_URL": self.tls_endpoint,
            "AWS_CA_BUNDLE": str(self.certificate),
            "AWS_ACCESS_KEY_ID": account,
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
        }

    def client(self, service: str, account: str = ROOT_KEY) -> Any:
        """A boto3 client with these variables, whatever the environment says."""
        import boto3  # noqa: PLC0415  takes longer than all else here, and `status` needs none

        environ = self.environ(account)
        return boto3.client(
            service,
            endpoint_url=environ["AWS_ENDPOINT_URL"],
            verify=environ["AWS_CA_BUNDLE"],
            region_name=REGION,
            aws_access_key_id=environ["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environ["AWS_SECRET_ACCESS_KEY"],
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
    if not PYTHON.exists():
        raise SystemExit("The local stack is not installed: run `make setup`.")
    make_certificate(folder)
    port, tls_port = free_ports()
    command = [str(PYTHON), "-m", "hypercorn", "ministack.app:app", "--keep-alive", "75", "--graceful-timeout", "0"]
    command += ["--log-level", "WARNING", "--insecure-bind", f"127.0.0.1:{port}", "--bind", f"127.0.0.1:{tls_port}"]
    command += ["--certfile", str(folder / "tls.crt"), "--keyfile", str(folder / "tls.key")]
    with (folder / "emulator.log").open("w") as log:
        process = subprocess.Popen(
            command,
            env=settings(port, tls_port, folder),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=end_with_parent if attached and sys.platform == "linux" else None,  # noqa: PLW1509  takes no lock
        )
    started = Emulator(f"http://127.0.0.1:{port}", f"https://127.0.0.1:{tls_port}", process.pid, folder)
    record = {"pid": started.pid, "endpoint": started.endpoint, "tls_endpoint": started.tls_endpoint}
    (folder / "emulator.json").write_text(json.dumps(record))
    try:
        wait_until_healthy(started, process)
    except BaseException:
        stop(folder)
        raise
    return started


def settings(port: int, tls_port: int, folder: Path) -> Mapping[str, str]:
    """MiniStack's environment, and only that: functions inherit it, and must not see more than on AWS."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder / "tmp"),
        "LANG": "C.UTF-8",
        "TMPDIR": str(folder / "tmp"),
        # For the clients of the functions.
        "AWS_ENDPOINT_URL": f"https://127.0.0.1:{tls_port}",
        "AWS_CA_BUNDLE": str(folder / "tls.crt"),
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
    return Emulator(folder=folder, **record) if alive(record["pid"]) else None


def alive(pid: int, mark: str = "ministack") -> bool:
    """Whether the process with this number runs and has `mark` in its command."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # a child that has ended stays listed until it is waited for
    if Path("/proc/self").exists():
        with contextlib.suppress(OSError):
            return mark.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
        return False
    return (
        mark
        in subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    )


def free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def make_certificate(folder: Path) -> None:
    """Makes a certificate for 127.0.0.1 that vouches for itself: tls.crt and tls.key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "local stack")])
    now = datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(
            name, name, key.public_key(), x509.random_serial_number(), now, now + timedelta(days=365)
        )
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    encoded = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "tls.key").write_bytes(encoded)
    (folder / "tls.crt").write_bytes(certificate.public_bytes(Encoding.PEM))


def end_with_parent() -> None:
    """Asks Linux to end this process when the one that started it ends, in whatever way (PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
