"""Runs an event through a built function, without Docker: python -m tools.invoke events/get_page.json

The file's name says which function: `<function>.json` or `<function>-<variant>.json`. It runs as on Lambda: the built
code and layer, AWS's runtime client (awslambdaric), and a Runtime API, which is what this module serves. Its settings
are those of the function deployed to the local stack, which is started when none is up.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Self

from tools.stack import STACK_NAME, Stack, build, running_stack


class FunctionError(Exception):
    """The function failed, or could not start; the argument is what the runtime client reported, as JSON."""


class BuiltFunction:
    """A built function, ready to be invoked as often as wanted.

    with BuiltFunction("get_page", stack) as get_page:
        answer = get_page.invoke(event)
    """

    def __init__(self, function: str, stack: Stack) -> None:
        self.function = function
        self.settings = deployed_settings(function, stack)
        self.environ = {**stack.environ, **self.settings["Environment"]["Variables"]}
        self.build = build().parent
        self.events: SimpleQueue[Any] = SimpleQueue()
        self.answers: SimpleQueue[tuple[str, Any]] = SimpleQueue()

    def invoke(self, event: Any) -> Any:
        """What the handler returns for `event`; FunctionError where it raises."""
        self.events.put(event)
        kind, answer = self.answers.get(timeout=self.settings["Timeout"] + 5)
        if kind == "error":
            raise FunctionError(json.dumps(answer, indent=2))
        return answer

    def __enter__(self) -> Self:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), runtime_api(self))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        code = self.build / logical_id(self.function)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "awslambdaric", self.settings["Handler"]],
            cwd=code,
            env={
                "PATH": os.defpath,
                "PYTHONPATH": f"{code}:{self.build / 'ProcaCommonLayer' / 'python'}",
                "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self.server.server_port}",
                "AWS_LAMBDA_FUNCTION_NAME": self.settings["FunctionName"],
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.settings["MemorySize"]),
                "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
                "LAMBDA_TASK_ROOT": str(code),
                **self.environ,
            },
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        self.events.put(None)  # lets the request that waits for the next event end
        self.server.shutdown()
        self.server.server_close()


def runtime_api(function: BuiltFunction) -> type[BaseHTTPRequestHandler]:
    """The Lambda Runtime API for one function: hands out events one by one, takes answers and errors."""

    class RuntimeApi(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            event = function.events.get()
            if event is None:
                return
            self.answer(
                200,
                {
                    "Lambda-Runtime-Aws-Request-Id": str(uuid.uuid4()),
                    "Lambda-Runtime-Deadline-Ms": str(int((time.time() + function.settings["Timeout"]) * 1000)),
                    "Lambda-Runtime-Invoked-Function-Arn": function.settings["FunctionArn"],
                },
                json.dumps(event).encode(),
            )

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            function.answers.put(("error" if self.path.endswith("/error") else "answer", body))
            self.answer(202, {}, b"{}")

        def answer(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
            self.send_response(status)
            # The runtime client hangs without a content type.
            for name, value in {
                "Content-Type": "application/json",
                "Content-Length": str(len(body)),
                **headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing: what is on the screen is the function's."""

    return RuntimeApi


def deployed_settings(function: str, stack: Stack) -> dict[str, Any]:
    """Name, handler, timeout, memory and variables of the deployed function."""
    resource = {"StackName": STACK_NAME, "LogicalResourceId": logical_id(function)}
    name = stack.client("cloudformation").describe_stack_resource(**resource)["StackResourceDetail"][
        "PhysicalResourceId"
    ]
    settings: dict[str, Any] = stack.client("lambda").get_function_configuration(FunctionName=name)
    return settings


def logical_id(function: str) -> str:
    """`GetPageFunction` of the folder `get_page`."""
    return "".join(word.capitalize() for word in function.split("_")) + "Function"


def main() -> None:
    if len(sys.argv) != 2:
        raise SystemExit("Name an event: make invoke EVENT=events/get_page.json")
    path = Path(sys.argv[1])
    event = json.loads(path.read_text())
    with running_stack() as stack, BuiltFunction(path.stem.partition("-")[0], stack) as function:
        try:
            answer = function.invoke(event)
        except FunctionError as error:
            raise SystemExit(f"The function failed: {error}") from None
    print(json.dumps(answer, indent=2))


if __name__ == "__main__":
    main()
