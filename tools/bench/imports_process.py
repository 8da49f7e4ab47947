"""Run by `imports` in a fresh process: the CPU of starting something, as it comes on top of Lambda's runtime client.

Job: `runtime`, the folder of awslambdaric, which Lambda has imported before it starts a function; `path`, what is on
the path from then on; `start`, "function" or "boto3". Answer: milliseconds of CPU, and modules.
"""

import importlib
import json
import sys
import time


def main() -> None:
    job = json.load(sys.stdin)
    sys.path.insert(0, job["runtime"])
    importlib.import_module("awslambdaric.bootstrap")
    sys.path[:1] = job["path"]
    modules = len(sys.modules)
    started = time.process_time()
    if job["start"] == "boto3":
        importlib.import_module("boto3").client("dynamodb")
    else:
        importlib.import_module("app")
    cpu = time.process_time() - started
    sys.stdout.write(json.dumps({"cpu_ms": cpu * 1000, "modules": len(sys.modules) - modules}))


if __name__ == "__main__":
    main()
