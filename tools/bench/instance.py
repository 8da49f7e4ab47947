"""The deployed instance, set up with the admin command as a person would: one org with a key, a campaign, a page."""

from __future__ import annotations

import time
from collections.abc import Mapping

from tools.client import Client

NAME = "bench"


class Instance:
    """Numbers of the org and its page, and the org's private key (base64url)."""

    def __init__(self, client: Client) -> None:
        self._admin = admin = client.admin
        admin("setup")
        self.org: int = admin("org", "create", NAME, "--encryption", "encrypted")["id"]
        key = admin("key", "generate", NAME, "main")
        self.private_key: str = key["private"]
        admin("key", "activate", NAME, str(key["id"]), "--no-wait")
        admin("campaign", "create", NAME, "--org", NAME)
        self.page: int = admin("page", "create", f"{NAME}/pl", "--org", NAME, "--campaign", NAME)["id"]

    def wrong_numbers(self, expected: Mapping[str, int], patience_s: float) -> list[str]:
        """What differs in the campaign's numbers from these; they are looked at again until they are right."""
        deadline = time.monotonic() + patience_s
        while True:
            numbers = self._admin("campaign", "show", NAME)["numbers"]
            wrong = [
                f"{name} counts {numbers.get(name, 0)}, not {expected.get(name, 0)}"
                for name in sorted({*expected, *numbers})
                if numbers.get(name, 0) != expected.get(name, 0)
            ]
            if not wrong or time.monotonic() > deadline:
                return wrong
            time.sleep(1)
