"""All fields that anybody may not ask for, by their types."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from proca_common.graph import campaigns_fields, contacts_fields, orgs_fields, people_fields

FIELDS: dict[str, dict[str, Callable[..., Any]]] = defaultdict(dict)
for part in (orgs_fields, campaigns_fields, people_fields, contacts_fields):
    for kind, fields in part.FIELDS.items():
        FIELDS[kind] |= fields
