"""What the admin command does about abuse: the guards of a campaign or of the instance."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from proca_common.admin.environment import AdminSettings, given_settings
from proca_common.guards.settings import Guards, checked
from proca_common.orgs import instance as instances

Shown = Mapping[str, object]
NAMES = frozenset(Guards.model_fields)


def instance_set(args: Namespace, _: AdminSettings) -> Shown:
    """Change the guards of all campaigns that do not say otherwise: proof_of_work=true."""
    known = instances.get()
    guards = merged(known.guards, given_settings(args))
    instances.put(replace(known, guards=guards))
    return guards


def instance_show(_: Namespace, __: AdminSettings) -> Shown:
    """The guards of all campaigns that do not say otherwise."""
    return instances.get().guards


def merged(known: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The guards after these changes; null takes a setting back, so that the instance's holds for a campaign."""
    return checked({**known, **changes})


def sorted_in(known: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a campaign, with those that are guards where they belong."""
    changes = {name: value for name, value in given.items() if name in NAMES}
    others = {name: value for name, value in given.items() if name not in NAMES}
    return {**others, "guards": merged(known, changes)} if changes else others
