"""The browser that pages are tested in: Debian's Chromium, or the one that CHROMIUM names.

    python -m tools.chromium        install it where it is missing, if that can be done without asking anybody

No test tool brings a browser of its own: what is tested is what the system keeps up to date.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
MISSING = "Chromium is not installed. Install your system's package `chromium`, or name one: CHROMIUM=/path/to/chromium"


def find() -> Path | None:
    """The program, or None; raises SystemExit where CHROMIUM names none."""
    named = os.environ.get("CHROMIUM")
    if named:
        found = shutil.which(named)
        if found is None:
            raise SystemExit(f"CHROMIUM={named} is no program.")
        return Path(found)
    return next((Path(path) for path in map(shutil.which, NAMES) if path), None)


def needed() -> Path:
    """The program; raises SystemExit that says how to get it."""
    found = find()
    if found is None:
        raise SystemExit(MISSING)
    return found


def install() -> None:
    """Installs Debian's package, as root or with a sudo that asks nothing; raises SystemExit where neither can be."""
    if shutil.which("apt-get") is None:
        raise SystemExit(MISSING)
    prefix = ["env", "DEBIAN_FRONTEND=noninteractive"]
    if os.geteuid() != 0:
        if shutil.which("sudo") is None or subprocess.run(["sudo", "-n", "true"], check=False).returncode:
            raise SystemExit(MISSING)
        prefix = ["sudo", "-n", *prefix]
    apt = [*prefix, "apt-get", "-qq", "-o", "DPkg::Lock::Timeout=600"]
    for arguments in (["update"], ["install", "--yes", "--no-install-recommends", "chromium"]):
        done = subprocess.run([*apt, *arguments], stdout=subprocess.DEVNULL, check=False)
        if done.returncode:
            raise SystemExit(f"apt-get {arguments[0]} failed. {MISSING}")


def main() -> None:
    if find() is None:
        print("setup: the browser that pages are tested in (Chromium)", file=sys.stderr)
        install()
        needed()


if __name__ == "__main__":
    main()
