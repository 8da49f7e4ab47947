"""Builds the shared layer, as `sam build` does (layers/proca_common/Makefile): python -m tools.build_layer <folder>

`LAYER_TARGET` says for what:

    python3.13-arm64    the default; <runtime>-<architecture> of AWS Lambda, with wheels for exactly that
    local               the interpreter and machine that run this, for the local stack

The dependencies of a target are installed once and kept under .local/layer, named by everything they depend on.

Bytecode makes a cold start twice as fast, and neither `sam build` nor the runtime writes any: it is compiled here by a
Python of the target's minor version (LAYER_PYTHON, the one that runs this, one on the PATH, or pyenv's), valid whatever
the time stamps of the files become. Without one the layer works and starts slowly; with LAYER_BYTECODE=required
(`make release`) that is an error.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "layers" / "proca_common"
REQUIREMENTS = SOURCE / "requirements.txt"
CACHE = ROOT / ".local" / "layer"
UV = ROOT / ".venv" / "bin" / "uv"

DEFAULT_TARGET = "python3.13-arm64"
PLATFORMS = {"arm64": "aarch64-manylinux_2_28", "x86_64": "x86_64-manylinux_2_28"}

SERVICES = {"cloudwatch", "dynamodb", "lambda", "s3", "secretsmanager", "sesv2", "sqs", "sts"}
"""Services whose clients the functions make; botocore's model of any other is left out of the layer."""

ROOTS = re.compile('# Label: "(Amazon Root CA|Starfield (Class|Root|Services))')
"""Certificate authorities of AWS's endpoints (Amazon Trust Services), of those that botocore brings."""

SHARED_MODELS = {"_retry.json", "endpoints.json", "partitions.json", "sdk-default-configuration.json"}


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    build(Path(sys.argv[1]) / "python", os.environ.get("LAYER_TARGET") or DEFAULT_TARGET)


def build(folder: Path, target: str) -> None:
    """Fills `folder` (the layer's `python/`) with the dependencies for `target` and the package."""
    python = interpreter(minor_version(target))
    if python is None:
        warning = f"no Python {minor_version(target)} found: the layer has no bytecode, cold starts take twice as long"
        if os.environ.get("LAYER_BYTECODE") == "required":
            raise SystemExit(f"{warning}; name one with LAYER_PYTHON")
        print(f"WARNING: {warning}", file=sys.stderr)
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(dependencies(target, python), folder)
    shutil.copytree(SOURCE / "proca_common", folder / "proca_common", ignore=shutil.ignore_patterns("__pycache__"))
    compile_bytecode(folder / "proca_common", python)


def minor_version(target: str) -> str:
    """`3.13` of `python3.13-arm64`."""
    if target == "local":
        return f"{sys.version_info.major}.{sys.version_info.minor}"
    runtime, _, architecture = target.partition("-")
    if not runtime.startswith("python3.") or architecture not in PLATFORMS:
        raise SystemExit(f"LAYER_TARGET is local or <runtime>-<architecture> such as {DEFAULT_TARGET}, not {target!r}")
    return runtime.removeprefix("python")


def interpreter(version: str) -> str | None:
    """A Python of exactly this minor version, None where there is none."""
    candidates = [
        os.environ.get("LAYER_PYTHON"),
        sys.executable,
        shutil.which(f"python{version}"),
        *map(str, sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"), reverse=True)),
    ]
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    for candidate in filter(None, candidates):
        # A version manager's shim may be there and still find no Python.
        answer = subprocess.run([candidate, "-c", ask], capture_output=True, text=True, check=False)
        if answer.returncode == 0 and answer.stdout.strip() == version:
            return candidate
    return None


def dependencies(target: str, python: str | None) -> Path:
    """The folder with the dependencies for `target`, trimmed and compiled; installed unless it is there already."""
    machine = sysconfig.get_platform() if target == "local" else ""
    parts = (REQUIREMENTS.read_text(), Path(__file__).read_text(), machine, str(python is not None))
    name = f"{target}-{minor_version(target)}-{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:16]}"
    ready = CACHE / name
    if not ready.exists():
        print(f"Installing the layer's dependencies for {target} ...", file=sys.stderr)
        CACHE.mkdir(parents=True, exist_ok=True)
        fresh = CACHE / f"{name}.{os.getpid()}"
        install(fresh, target)
        trim_models(fresh / "botocore" / "data")
        trim_certificates(fresh / "botocore" / "cacert.pem")
        compile_bytecode(fresh, python)
        try:
            fresh.rename(ready)
        except OSError:  # another build was faster
            shutil.rmtree(fresh)
    return ready


def install(folder: Path, target: str) -> None:
    """Installs the locked requirements; for AWS from wheels of the target's platform, never built here."""
    place = ["--python", sys.executable]
    if target != "local":
        architecture = target.partition("-")[2]
        place = [
            "--python-version",
            minor_version(target),
            "--python-platform",
            PLATFORMS[architecture],
            "--only-binary",
            ":all:",
        ]
    command = [
        str(UV),
        "pip",
        "install",
        "--quiet",
        "--require-hashes",
        "--target",
        str(folder),
        *place,
        "-r",
        str(REQUIREMENTS),
    ]
    subprocess.run(command, check=True)
    shutil.rmtree(folder / "bin", ignore_errors=True)


def trim_models(data: Path) -> None:
    """Keeps the models of SERVICES, in their newest version, and their entries of the list of endpoints.

    22 MB become 2, and a client takes 21 ms of CPU instead of 56: most of that was listing folders and parsing.
    """
    for entry in data.iterdir():
        if entry.is_dir() and entry.name in SERVICES:
            for version in sorted(entry.iterdir())[:-1]:
                shutil.rmtree(version)
            for examples in entry.glob("*/examples-*"):
                examples.unlink()
        elif entry.is_dir():
            shutil.rmtree(entry)
        elif entry.name not in SHARED_MODELS:
            entry.unlink()
    path = data / "endpoints.json"
    endpoints = json.loads(path.read_text())
    for partition in endpoints["partitions"]:
        partition["services"] = {name: entry for name, entry in partition["services"].items() if name in SERVICES}
    path.write_text(json.dumps(endpoints, separators=(",", ":")))


def trim_certificates(bundle: Path) -> None:
    """Keeps the authorities that AWS's endpoints need: each client reads them all, 2 ms of CPU instead of 18.

    Only botocore reads this file. What calls others than AWS takes the system's authorities.
    """
    entries = bundle.read_text().split("\n\n")
    bundle.write_text("\n\n".join(entry for entry in entries if ROOTS.search(entry)) + "\n")


def compile_bytecode(folder: Path, python: str | None) -> None:
    """Compiles with the path that the files have in the runtime, so that tracebacks name it."""
    if python is not None:
        place = f"/opt/python/{folder.name}" if folder.name == "proca_common" else "/opt/python"
        options = ["-q", "-j0", "--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", place]
        subprocess.run([python, "-m", "compileall", *options, str(folder)], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
