"""The built layer holds all that the functions need, and nothing for another machine (design 9, 10)."""

import importlib.util
import json
import re
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.config import Config

from proca_common.aws.clients import REGIONAL
from tools.build_layer import DEFAULT_TARGET, SERVICES, SOURCE, build, interpreter, minor_version

REGIONS = ("eu-central-1", "eu-west-1", "us-east-1", "eu-central-2")
AARCH64 = 183
UNCHECKED_HASH = 1
MAGIC_OF_3_13 = (3571).to_bytes(2, "little") + b"\r\n"

CLIENTS = """
import json, sys
sys.path.insert(0, sys.argv[1])
import botocore.session
from botocore.config import Config
session = botocore.session.get_session()
session.set_credentials("key", "secret")
REGIONAL = {"us_east_1_regional_endpoint": "regional"}
made = {}
for service in sys.argv[2].split(","):
    for region in sys.argv[3].split(","):
        client = session.create_client(service, region_name=region, config=Config(s3=REGIONAL))
        made[f"{service} {region}"] = [client.meta.endpoint_url, client._request_signer.signing_name]
assert botocore.__file__.startswith(sys.argv[1]), botocore.__file__
print(json.dumps(made))
"""

HOURS = """
import datetime, json, sys, zoneinfo
sys.path.insert(0, sys.argv[1])
zoneinfo.reset_tzpath(to=[])
moments = [datetime.datetime(2025, month, 1, 12, tzinfo=datetime.UTC) for month in (1, 7)]
print(json.dumps([moment.astimezone(zoneinfo.ZoneInfo("Europe/Brussels")).hour for moment in moments]))
"""


@pytest.fixture(scope="module")
def local_layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("local") / "python"
    build(folder, "local")
    return folder


@pytest.fixture(scope="module")
def aws_layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("aws") / "python"
    build(folder, DEFAULT_TARGET)
    return folder


def isolated(program: str, *arguments: str) -> Any:
    """What a program prints, as JSON, run with nothing but the standard library and what it puts on its path."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_client_can_be_made_from_the_trimmed_models(local_layer: Path) -> None:
    session = botocore.session.get_session()
    session.set_credentials("key", "secret")
    expected = {}
    for service in sorted(SERVICES):
        for region in REGIONS:
            client = session.create_client(service, region_name=region, use_ssl=True, config=Config(s3=REGIONAL))
            expected[f"{service} {region}"] = [client.meta.endpoint_url, client._request_signer.signing_name]

    assert isolated(CLIENTS, str(local_layer), ",".join(sorted(SERVICES)), ",".join(REGIONS)) == expected


def test_the_layer_has_the_models_of_every_client_that_the_code_makes() -> None:
    named = set()
    for file in [*SOURCE.rglob("*.py"), *(SOURCE.parent.parent / "functions").rglob("*.py")]:
        named |= set(re.findall(r"create_client\(\s*[\"']([\w-]+)[\"']", file.read_text()))

    assert named <= SERVICES


def test_the_trimmed_models_are_small(local_layer: Path) -> None:
    data = local_layer / "botocore" / "data"

    assert {entry.name for entry in data.iterdir() if entry.is_dir()} == SERVICES
    assert sum(file.stat().st_size for file in data.rglob("*") if file.is_file()) < 700_000


def test_the_layer_trusts_the_authorities_of_aws_and_no_others(local_layer: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(local_layer / "botocore" / "cacert.pem")

    trusted = {
        name
        for part in (ca["subject"] for ca in context.get_ca_certs())
        for ((key, name),) in part
        if key == "organizationName"
    }
    assert trusted == {"Amazon", "Starfield Technologies, Inc."}
    assert len(context.get_ca_certs()) == 7


def test_the_layer_knows_the_hours_of_every_zone_where_the_system_has_none(local_layer: Path) -> None:
    assert isolated(HOURS, str(local_layer)) == [13, 14]


def test_every_module_of_the_local_layer_is_compiled_for_this_python(local_layer: Path) -> None:
    check_bytecode(local_layer, importlib.util.MAGIC_NUMBER, f"cpython-3{sys.version_info.minor}")


def test_every_module_of_the_layer_for_aws_is_compiled_for_its_python(aws_layer: Path) -> None:
    if interpreter(minor_version(DEFAULT_TARGET)) is None:
        # The build has said so, and `make release` would have refused.
        assert not list(aws_layer.rglob("*.pyc"))
    else:
        check_bytecode(aws_layer, MAGIC_OF_3_13, "cpython-313")


def check_bytecode(layer: Path, magic: bytes, tag: str) -> None:
    """Every module has bytecode that the runtime takes without looking at the source or at any time stamp."""
    for source in layer.rglob("*.py"):
        header = (source.parent / "__pycache__" / f"{source.stem}.{tag}.pyc").read_bytes()[:8]
        assert header[:4] == magic, source
        assert int.from_bytes(header[4:], "little") == UNCHECKED_HASH, source


def test_everything_native_in_the_layer_for_aws_is_for_its_processor(aws_layer: Path) -> None:
    native = list(aws_layer.rglob("*.so"))

    assert {file.name.partition(".")[0] for file in native} >= {"_pydantic_core", "_sodium", "_cffi_backend"}
    for file in native:
        header = file.read_bytes()[:20]
        assert header[:4] == b"\x7fELF"
        assert int.from_bytes(header[18:20], "little") == AARCH64, file


def test_the_layer_carries_no_boto3(aws_layer: Path) -> None:
    # Importing it costs 15 ms of every cold start and nothing needs it: whoever imports it has to notice.
    assert not (aws_layer / "boto3").exists()
