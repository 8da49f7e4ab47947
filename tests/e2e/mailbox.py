"""What the local stack's SES took."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from tools.emulator import Emulator


class Mailbox:
    """The mails that the local stack's SES took."""

    def __init__(self, local: Emulator) -> None:
        self.local = local

    def of(self, recipient: str) -> list[dict[str, Any]]:
        """The mails to this address, in the order of their sending."""
        url = f"{self.local.endpoint}/_ministack/ses/messages"
        with urllib.request.urlopen(url, timeout=10) as answer:
            by_account = json.loads(answer.read())["messages"]
        mails = [mail for found in by_account.values() for mail in found]
        return [mail for mail in mails if recipient in json.dumps(mail)]
