"""Settings of guards: what a campaign does not say, the instance decides, and everything is off by default."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from pydantic import ValidationError

from proca_common.campaigns.campaign import Campaign, CampaignInput
from proca_common.guards.settings import ProofOfWork, checked, effective
from tools.emulator import ROOT

ON: dict[str, Any] = {"proof_of_work": {"digits": 3}}
OFF: dict[str, Any] = {"proof_of_work": False}


@pytest.mark.parametrize(
    ("campaign", "instance", "digits"),
    [
        ({}, {}, None),
        ({}, OFF, None),
        (OFF, {}, None),
        (OFF, ON, None),
        ({}, ON, 3),
        (ON, OFF, 3),
        (ON, {}, 3),
        ({"proof_of_work": {}}, ON, 2),
    ],
)
def test_the_campaign_is_asked_before_the_instance(
    campaign: dict[str, Any], instance: dict[str, Any], digits: int | None
) -> None:
    guards = effective(campaign, instance)

    found = guards.proof_of_work.digits if guards is not None and guards.proof_of_work else None
    assert found == digits


def test_true_means_the_defaults_and_null_takes_a_setting_back() -> None:
    assert checked({"proof_of_work": True}) == {"proof_of_work": ProofOfWork().model_dump()}
    assert checked({"proof_of_work": None}) == {}


@pytest.mark.parametrize(
    "wrong",
    [
        {"captchas": True},
        {"proof_of_work": "yes"},
        {"proof_of_work": {"digits": 0}},
        {"proof_of_work": {"digits": 5}},
        {"proof_of_work": {"memory_mib": 3}},
        {"proof_of_work": {"memory_mib": 64}},
        {"proof_of_work": {"algorithm": "SHA-256"}},
        {"proof_of_work": {"valid_s": 30}},
        {"proof_of_work": {"difficulty": 2}},
        {"captcha": True},
        {"captcha": {"service": "recaptcha", "url": "https://captcha.example.org/verify"}},
        {"captcha": {"service": "hcaptcha", "url": "http://captcha.example.org/verify"}},
        {"captcha": {"service": "hcaptcha", "url": "http://localhost.example.org/verify"}},
        {"captcha": {"service": "hcaptcha", "url": "file:///etc/passwd"}},
        {"captcha": {"service": "hcaptcha", "url": "https://captcha.example.org/verify", "timeout_ms": 20_000}},
        {"network_cap": True},
        {"network_cap": {"burst": 0, "sustained": 1}},
        {"network_cap": {"burst": 1}},
        {"address_cap": {"burst": 5, "sustained": -1}},
        {"patterns": [{"id": 1, "kind": "network", "pattern": "everywhere", "action": "hold"}]},
    ],
)
def test_a_campaign_takes_no_guard_that_is_wrong(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        CampaignInput(name="bees", title="Bees", org=1, guards=wrong)


def test_guards_are_kept_with_the_campaign() -> None:
    campaign = Campaign(id=1, name="bees", title="Bees", org=1, guards={"proof_of_work": True})

    assert Campaign.load(campaign.document(), id=1) == campaign


def test_intake_without_guards_imports_nothing_of_them() -> None:
    program = """
import sys
from proca_common.action_pages.context import page_context
from proca_common.intake.add import add_action, add_action_contact
guards = ("proca_common.guards", "proca_common.intake.guarded", "altcha")
print([name for name in sys.modules if name.startswith(guards)])
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(ROOT / "layers" / "proca_common")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"
