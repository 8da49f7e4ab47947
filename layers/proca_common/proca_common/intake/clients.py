"""What guards say of a client, for functions that take no signature: only campaigns with guards import them."""

from __future__ import annotations

from proca_common.action_pages.context import PageContext


def admit(context: PageContext, client: str | None, guard_secret: str) -> None:
    """Count the client's network, and look whether it is blocked. Raises `NotAllowed` and `TooMany`.

    `client`: the address that the request came from. `guard_secret`: the entry of the guards' secret.
    """
    if context.guards is None:
        return
    from proca_common.intake.guarded import admit_client  # noqa: PLC0415 - only where there are guards

    admit_client(context, client, guard_secret)
