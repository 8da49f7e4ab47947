"""What the admin command does about operations that need a second person."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from datetime import UTC, datetime

from proca_common.actions import store as actions
from proca_common.admin.environment import AdminSettings
from proca_common.aws import clock
from proca_common.confirms import store
from proca_common.confirms.confirm import CONFIRM_ACTION, Confirm
from proca_common.confirms.links import code_links
from proca_common.confirms.tokens import DAY_MS
from proca_common.errors import NotFound


def confirm_create_action(args: Namespace, settings: AdminSettings) -> Mapping[str, object]:
    """Make links by which a moderator accepts or rejects an action that waits, without an account."""
    if actions.action_by_id(args.id) is None:
        raise NotFound("action")
    expires = (clock.now_ms() + args.days * DAY_MS) // 1000
    wanted = Confirm(code="", operation=CONFIRM_ACTION, subject=args.id, email=args.email, expires=expires)
    confirm = store.create(wanted)
    links = code_links(settings.link_base_url or settings.proca_api_url or "", confirm)
    until = datetime.fromtimestamp(expires, UTC).isoformat()
    return {"code": confirm.code, "accept": links.accept, "reject": links.reject, "until": until}
