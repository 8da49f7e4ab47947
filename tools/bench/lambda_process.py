"""Fresh processes that find what a function finds on Lambda: the built code and layer, and no package besides.

A program here is a module of this package that is run as a file (`handler_cpu_process`, `imports_process`): it gets a
JSON document on standard input and answers one on standard output.
"""

from __future__ import annotations

import compileall
import importlib.metadata
import json
import os
import py_compile
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.emulator import LOCAL, Emulator

HERE = Path(__file__).parent
FUNCTION = "AddActionContactFunction"
LAYER = Path("ProcaCommonLayer") / "python"


def run(program: str, job: Mapping[str, Any], environ: Mapping[str, str]) -> Any:
    """What the program answers; RuntimeError with what it said when it fails."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", str(HERE / f"{program}.py")],
        input=json.dumps(job),
        env={"PATH": os.defpath, "LANG": "C.UTF-8", **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{program} failed:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout)


def environment(aws: Emulator, settings: Mapping[str, str], build: Path, folder: Path) -> dict[str, str]:
    """The variables of the intake function, `settings` being its own. The roots that its clients trust are all those of
    botocore, as on AWS, and the emulator's certificate; they are written to `folder`."""
    roots = folder / "roots.pem"
    botocore_roots = build / LAYER / "botocore" / "cacert.pem"
    roots.write_text(botocore_roots.read_text() + aws.certificate.read_text())
    return {
        **aws.environ(),
        **settings,
        "AWS_CA_BUNDLE": str(roots),
        "AWS_LAMBDA_FUNCTION_NAME": FUNCTION,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "LAMBDA_TASK_ROOT": str(build / FUNCTION),
    }


def packages(*names: str) -> Path:
    """A folder with these installed distributions and what they require, compiled, and nothing else."""
    closure = _with_requirements(names)
    versions = "-".join(f"{name}-{importlib.metadata.version(name)}" for name in names)
    folder = LOCAL / "bench" / f"{sys.implementation.cache_tag}-{versions}"
    if not folder.exists():
        fresh = folder.with_name(f"{folder.name}.{os.getpid()}")
        for name in sorted(closure):
            for file in importlib.metadata.files(name) or ():
                if ".." not in file.parts and file.suffix != ".pyc":
                    target = fresh / file
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(str(file.locate()), target)
        compileall.compile_dir(fresh, quiet=2, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
        fresh.rename(folder)
    return folder


def _with_requirements(names: tuple[str, ...]) -> set[str]:
    found: set[str] = set()
    ahead = list(names)
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            required = importlib.metadata.requires(name) or ()
            ahead += [_name(line) for line in required if "extra ==" not in line and _is_installed(_name(line))]
    return found


def _name(requirement: str) -> str:
    """`urllib3` of `urllib3!=2.2.0,<3,>=1.25.4; python_version >= "3.10"`."""
    end = next((i for i, char in enumerate(requirement) if not (char.isalnum() or char in "-_.")), len(requirement))
    return requirement[:end]


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
