"""The built functions start with nothing but the layer: no package of this environment helps them."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.emulator import ROOT, Emulator
from tools.invoke import logical_id
from tools.stack import build

FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/app.py"))
QUEUES = ("MAIL", "PUSH", "PUSH_FAILURES", "DETAIL", "ENCRYPT_CONTACTS", "EXPORT", "ERASURE", "AUDIT", "TARGET_MAIL")
SECRETS = ("ERASURE_KEY", "FINGERPRINT_SEED", "GUARD_KEY", "LINK_KEYS", "SEALING_KEY", "SERVICE_PASSWORDS")

START = """
import json, sys
sys.path[:0] = sys.argv[1:]
import app
assert callable(app.lambda_handler)
own = (*sys.argv[1:], sys.base_prefix)
files = {name: getattr(module, "__file__", None) for name, module in sys.modules.items()}
print(json.dumps({name: file for name, file in files.items() if file and not file.startswith(own)}))
"""


@pytest.fixture(scope="module")
def built() -> Path:
    return build().parent


@pytest.fixture(scope="module")
def seed(emulator: Emulator) -> Iterator[str]:
    secrets = emulator.client("secretsmanager")
    made = secrets.create_secret(Name="seed-of-built-functions", SecretString="seed")["ARN"]
    yield made
    secrets.delete_secret(SecretId=made, ForceDeleteWithoutRecovery=True)


@pytest.mark.parametrize("folder", FUNCTIONS)
def test_a_built_function_starts_with_nothing_but_the_layer(
    emulator: Emulator, built: Path, seed: str, folder: str
) -> None:
    environ = {
        **emulator.environ(),
        "ACTIONS_TABLE": "actions",
        "CATALOG_TABLE": "catalog",
        "STATS_TABLE": "stats",
        "ERASURES_TABLE": "erasures",
        "QUEUE_URL_PREFIX": "https://sqs.example.org/000000000000/proca-org-",
        **{f"{queue}_QUEUE_URL": f"https://sqs.example.org/000000000000/{queue}" for queue in QUEUES},
        **{f"{name}_SECRET": seed for name in SECRETS},
        "EXPORT_BUCKET": "exports",
        "LINK_BASE_URL": "https://api.example.org",
        "CHECKED_QUEUES": "MAIL",
        "CHECKED_SECRETS": seed,
        "CHECKED_STREAMS": "1 arn:aws:dynamodb:::table/actions/stream/1",
        "QUEUE_ARN_PREFIX": "arn:aws:sqs:eu-central-1:000000000000:proca-org-",
        "QUEUE_READER_ROLE": "arn:aws:iam::000000000000:role/queue-reader",
        "MAIL_EVENTS_TOPIC": "arn:aws:sns:eu-central-1:000000000000:mail-events",
        "POWERTOOLS_METRICS_NAMESPACE": "test",
        "POWERTOOLS_SERVICE_NAME": "test",
        "POWERTOOLS_TRACE_DISABLED": "1",
    }

    paths = [str(built / logical_id(folder)), str(built / "ProcaCommonLayer" / "python")]
    started = subprocess.run(
        [sys.executable, "-I", "-S", "-c", START, *paths], env=environ, capture_output=True, text=True, check=False
    )

    assert started.returncode == 0, started.stderr
    assert json.loads(started.stdout) == {}, "modules from elsewhere"
