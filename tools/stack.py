"""The local stack: MiniStack with template.yaml built and deployed to it, as `sam build && sam deploy` would to AWS.

    python -m tools.stack up        start it, or deploy what changed since
    python -m tools.stack down      stop it; what it held is gone
    python -m tools.stack status    say where it is
    python -m tools.stack env       the variables that clients and `python -m proca_common.admin` need, for the shell;
                                    with the name of a stack on AWS, those of that one

    with deployed_stack() as stack:  # in tests: one of its own, gone afterwards, or the one that PROCA_API_URL names
        requests.get(stack.api_url + "/health")

Everything is under .local: the stack of `up` in .local/dev (stack.json, env, emulator.log, deploy.log), builds in
.local/build. Beside it `up` serves the widget of examples/widget, on a page that may be signed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools import emulator as ministack
from tools.emulator import LOCAL, REGION, ROOT, Emulator
from tools.repair import repair

SAM = LOCAL / "venv-sam" / "bin" / "sam"
DEV = LOCAL / "dev"
STACK_NAME = "proca-local"
BUCKET = "proca-local-artifacts"
EXECUTE_API = "/_aws/execute-api"
SOURCES = ("template.yaml", "samconfig.toml", "functions", "layers", "tools/build_layer.py")


@dataclass(frozen=True, slots=True)
class Stack:
    """A deployed stack: where its API is, and the variables that name the rest (`environ`, as in .local/dev/env)."""

    api_url: str
    environ: Mapping[str, str]
    emulator: Emulator | None = field(default=None)

    def client(self, service: str) -> Any:
        """A boto3 client for the account that holds the stack."""
        if self.emulator is not None:
            return self.emulator.client(service)
        import boto3  # noqa: PLC0415  as in tools.emulator

        return boto3.client(service)


@contextlib.contextmanager
def deployed_stack(template: Path | None = None) -> Iterator[Stack]:
    """A fresh stack on an emulator of its own; where PROCA_API_URL is set, the one that the environment names."""
    if "PROCA_API_URL" in os.environ:
        yield Stack(os.environ["PROCA_API_URL"], dict(os.environ))
    else:
        with ministack.emulator() as aws:
            yield deploy(aws, template or build())


@contextlib.contextmanager
def running_stack() -> Iterator[Stack]:
    """The stack of `up`, with what changed since deployed; where none is up, one that lasts as long as this."""
    was_up = ministack.running(DEV) is not None
    try:
        yield up()
    finally:
        if not was_up:
            ministack.stop(DEV)


def up() -> Stack:
    """Starts the stack of .local/dev or brings it to what the sources are now; does nothing where both are done."""
    aws = ministack.running(DEV)
    if aws is None:
        say("starting MiniStack")
        ministack.stop_orphans()
        stop_widget()
        shutil.rmtree(DEV, ignore_errors=True)
        aws = ministack.start(DEV, attached=False)
    template = build()
    with contextlib.suppress(OSError, ValueError):
        record = json.loads((DEV / "stack.json").read_text())
        if record["template"] == str(template):
            return Stack(record["environ"]["PROCA_API_URL"], record["environ"], aws)
    stack = deploy(aws, template)
    (DEV / "env").write_text(shell(stack.environ))
    (DEV / "stack.json").write_text(json.dumps({"template": str(template), "environ": stack.environ}, indent=2))
    return stack


def build(sources: Path = ROOT) -> Path:
    """The template of a build of `sources` for the local stack; built once for what they contain."""
    folder = LOCAL / "build" / fingerprint(sources)
    template = folder / "template.yaml"
    if not template.exists():
        say("building the functions and the layer")
        fresh = folder.with_name(f"{folder.name}.{os.getpid()}")
        variables = {**os.environ, "LAYER_TARGET": "local"}
        command = ["build", "--template", str(sources / "template.yaml"), "--build-dir", str(fresh), "--no-cached"]
        sam(command, variables, LOCAL / "build.log")
        for old in sorted(LOCAL.glob("build/*/template.yaml"), key=os.path.getmtime)[:-4]:
            shutil.rmtree(old.parent)
        with contextlib.suppress(OSError):  # another process may have been faster
            fresh.rename(folder)
    return template


def fingerprint(sources: Path) -> str:
    """A short name of everything that goes into a build."""
    digest = hashlib.sha256(sys.version.encode())
    for source in SOURCES:
        path = sources / source
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file() and file.suffix != ".pyc":
                digest.update(f"{file.relative_to(sources)}\0{file.stat().st_size}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def deploy(aws: Emulator, template: Path) -> Stack:
    """Deploys a built template with `sam deploy` and puts right what the emulator made of it."""
    say("deploying the template")
    with contextlib.suppress(aws.client("s3").exceptions.BucketAlreadyOwnedByYou):
        aws.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    config = ROOT / "samconfig.toml"
    given = tomllib.loads(config.read_text())["local"]["deploy"]["parameters"]["parameter_overrides"]
    command = ["deploy", "--config-env", "local", "--config-file", str(config)]
    # The template adds the API's id and stage: links in mails lead here, not to AWS.
    command += ["--parameter-overrides", *given, f"LinkBaseUrl={aws.endpoint}{EXECUTE_API}"]
    command += ["--template-file", str(template), "--no-resolve-s3", "--s3-bucket", BUCKET]
    sam(command, {**os.environ, **aws.environ()}, aws.folder / "deploy.log")
    repair(aws, STACK_NAME)
    environ = variables(outputs(aws.client("cloudformation"), STACK_NAME), STACK_NAME)
    # https://<id>.execute-api.<region>.amazonaws.com/<stage>
    host, _, stage = environ["PROCA_API_URL"].removeprefix("https://").partition("/")
    api_id = host.partition(".")[0]
    api_url = f"{aws.endpoint}{EXECUTE_API}/{api_id}/{stage}"
    environ |= aws.environ() | {"PROCA_API_URL": api_url, "LINK_BASE_URL": api_url}
    return Stack(environ["PROCA_API_URL"], environ, aws)


def sam(arguments: list[str], environ: Mapping[str, str], log: Path) -> None:
    """Runs SAM quietly; what it said is in `log`, and shown when it fails."""
    if not SAM.exists():
        raise SystemExit("SAM is not installed: run `make setup`.")
    log.parent.mkdir(parents=True, exist_ok=True)
    environ = {**environ, "SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": environ.get("AWS_DEFAULT_REGION", REGION)}
    with log.open("w") as output:
        done = subprocess.run(
            [SAM, *arguments],
            cwd=ROOT,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(f"sam {arguments[0]} failed:\n{log.read_text()[-6000:]}")


def outputs(cloudformation: Any, stack_name: str) -> dict[str, str]:
    stack = cloudformation.describe_stacks(StackName=stack_name)["Stacks"][0]
    return {entry["OutputKey"]: entry["OutputValue"] for entry in stack["Outputs"]}


def variables(found: Mapping[str, str], stack_name: str) -> dict[str, str]:
    """The stack's outputs under the names that functions know them by (ActionsTable: ACTIONS_TABLE), and more."""
    named = {re.sub(r"(?<!^)(?=[A-Z])", "_", key).upper(): value for key, value in found.items()}
    named |= {f"{name}_URL": value for name, value in named.items() if name.endswith("_QUEUE")}
    return {
        "PROCA_API_URL": named.pop("API_URL"),
        **named,
        "POWERTOOLS_SERVICE_NAME": stack_name,
        "POWERTOOLS_METRICS_NAMESPACE": "Proca",
        "POWERTOOLS_TRACE_DISABLED": "1",
    }


def shell(environ: Mapping[str, str]) -> str:
    """Lines to `source`."""
    return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in environ.items())


def say(what: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {what} ...", file=sys.stderr, flush=True)


def show_widget(stack: Stack) -> str:
    """The address where a person can sign."""
    from tools import widget  # noqa: PLC0415  its client needs this module
    from tools.client import Client  # noqa: PLC0415

    with Client(stack) as client:
        page = widget.demo_page(client, DEV)
    return f"{widget.start(DEV, stack.api_url)}/?page={page}"


def stop_widget() -> None:
    from tools import widget  # noqa: PLC0415  its client needs this module

    widget.stop(DEV)


def main() -> None:
    match sys.argv[1:]:
        case ["up"]:
            stack = up()
            print(f"The API is at {stack.api_url}")
            print(f"Sign in the browser: {show_widget(stack)}")
            print(f"For the shell: source {(DEV / 'env').relative_to(ROOT)}")
        case ["down"]:
            stop_widget()
            ministack.stop_orphans()
            ministack.stop(DEV)
            shutil.rmtree(DEV, ignore_errors=True)
        case ["status"]:
            found = ministack.running(DEV)
            deployed = (DEV / "stack.json").exists()
            print(f"running at {found.endpoint}, {'' if deployed else 'not '}deployed" if found else "not running")
            sys.exit(0 if found and deployed else 1)
        case ["env"]:
            sys.stdout.write((DEV / "env").read_text())
        case ["env", name]:
            import boto3  # noqa: PLC0415  as in tools.emulator

            sys.stdout.write(shell(variables(outputs(boto3.client("cloudformation"), name), name)))
        case _:
            raise SystemExit(__doc__)


if __name__ == "__main__":
    main()
