"""The published clients, installed from the registry as their users install them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.emulator import LOCAL, ROOT

SOURCE = ROOT / "tests" / "clients"
FILES = ("package.json", "package-lock.json", ".npmrc")
SECONDS = 120


def installed() -> Path:
    """The folder with the clients, installed unless they are there already."""
    npm = shutil.which("npm")
    assert npm is not None, "Node.js 20 or later with npm is needed for the clients that run on it"
    known = hashlib.sha256(b"".join((SOURCE / name).read_bytes() for name in FILES)).hexdigest()[:16]
    folder = LOCAL / f"clients-{known}"
    if not (folder / "ready").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            shutil.copy(SOURCE / name, folder)
        subprocess.run([npm, "ci", "--silent"], cwd=folder, check=True, timeout=300)
        (folder / "ready").touch()
    return folder


@dataclass(frozen=True, slots=True)
class Proca:
    """The published command line at a machine of its own, with an API token."""

    folder: Path
    home: Path
    api_url: str
    token: str

    def __post_init__(self) -> None:
        config = self.home / "proca"
        config.mkdir(parents=True)
        known = {
            "REACT_APP_NAME": "proca",
            "REACT_APP_API_URL": f"{self.api_url}/api",
            "PROCA_TOKEN": self.token,
            "PROCA_CONFIG_FOLDER": str(self.home / "config"),
        }
        (config / "default.env").write_text("".join(f"{name}='{value}'\n" for name, value in known.items()))

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command, with whatever comes of it."""
        return subprocess.run(
            [self.folder / "node_modules" / ".bin" / "proca", *arguments],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.home),
                "XDG_CONFIG_HOME": str(self.home),
                "XDG_DATA_HOME": str(self.home / "data"),
                "XDG_CACHE_HOME": str(self.home / "cache"),
                "NO_COLOR": "1",
            },
            cwd=self.home,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )

    def json(self, *arguments: str) -> Any:
        """What a command shows as JSON, which must succeed."""
        done = self.run(*arguments, "--json", "--no-simplify")
        assert done.returncode == 0, f"proca {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
        return json.loads(done.stdout)

    def does(self, *arguments: str) -> str:
        """What a command says, which must succeed."""
        done = self.run(*arguments)
        assert done.returncode == 0, f"proca {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def fails(self, *arguments: str) -> str:
        """What a command says that must fail."""
        done = self.run(*arguments)
        assert done.returncode != 0, done.stdout
        return done.stdout + done.stderr


def node(folder: Path, script: str, *arguments: str) -> Any:
    """What a script of Node's prints as JSON, run where the clients are installed."""
    done = subprocess.run(
        ["node", "--input-type=commonjs", "-", *arguments],
        input=script,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
