"""What can go wrong in the cloud, in the words the rest of the code uses.

CloudError
├── Unavailable      the service did not take the call, or its answer was lost: trying again is right
└── Cancelled        a condition of a write did not hold (see `aws.dynamo.Transaction`)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CONDITION_FAILED = "ConditionalCheckFailed"


class CloudError(Exception):
    """A call to the cloud failed. Its text never holds a value of a request."""


class Unavailable(CloudError):
    """Throttled, in conflict with another write, timed out or refused by the network: nothing is known to be wrong."""


class Cancelled(CloudError):
    """A transaction was refused because some of its conditions did not hold.

    `reasons` maps the label of each write that stood in the way to its reason code; `old` maps the labels of writes
    that asked for it to the raw item (DynamoDB attribute values) that was found instead.
    """

    def __init__(self, reasons: Mapping[str, str], old: Mapping[str, dict[str, Any]]) -> None:
        super().__init__("transaction cancelled: " + ", ".join(sorted(set(reasons.values()))))
        self.reasons = reasons
        self.old = old

    def refused(self, label: str) -> bool:
        """Whether the write `label` had a condition that did not hold."""
        return self.reasons.get(label) == CONDITION_FAILED

    @property
    def any_condition(self) -> bool:
        """Whether at least one condition did not hold (else it was only contention)."""
        return CONDITION_FAILED in self.reasons.values()
