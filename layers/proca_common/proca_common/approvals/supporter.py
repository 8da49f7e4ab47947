"""What a supporter's own links do (domain 7.1 as design 7.4 changes it)."""

from __future__ import annotations

from dataclasses import dataclass

from proca_common.action_pages.context import PageContext, page_context
from proca_common.actions import store
from proca_common.actions.status import EmailStatus
from proca_common.actions.store import ActionIdItem, ActionItem
from proca_common.approvals.redirects import allowed, page_hosts
from proca_common.aws import clock
from proca_common.confirms.tokens import ENDING, LinkKeys, Purpose, has_ended, is_link_token
from proca_common.errors import Ended, NotFound
from proca_common.monitors import activity
from proca_common.stages import decide

NOBODY = "A" * 43
"""Stands for the ref of an action that does not exist, so that its links cost what those of others cost."""


@dataclass(frozen=True, slots=True)
class SupporterLink:
    """A link that somebody has with right: nobody without the mail knows its token."""

    purpose: Purpose
    action: ActionItem
    context: PageContext

    @property
    def hosts(self) -> frozenset[str]:
        """Where it may lead to."""
        return page_hosts(self.context.page.name, self.context.org.redirect_hosts)

    @property
    def location(self) -> str:
        """Where the action was done, as far as its Referer told."""
        return str((self.action.source or {}).get("location", ""))

    @property
    def page_location(self) -> str:
        """Where the last action on this page was done (domain 11.4). Raises `Unavailable`."""
        known = activity.read(self.context.page.id)
        return "" if known is None or known.location is None else known.location

    def target(self, redir: str | None, double_opt_in: str | None) -> str | None:
        """Where the browser goes once it is done; None: it is told so here (domain 7.1.1-3).

        `redir` and `double_opt_in` are the parameters `redir` and `doi` as they were sent. Only a double opt-in without
        `redir` leads back to where the action was done, else to where the last one on its page was, if that is an
        allowed host too. Raises `Unavailable`.
        """
        match self.purpose:
            case Purpose.UNSUBSCRIBE:
                return None
            case Purpose.DOUBLE_OPT_IN:
                added = [("proca_doi", "1")]
                if redir or not self.hosts:
                    return allowed(redir or "", self.hosts, added)
                back = allowed(self.location, self.hosts, added)
                return back or allowed(self.page_location, self.hosts, added)
            case Purpose.ACCEPT | Purpose.REJECT:
                added = [("proca_confirm", self.purpose.value)]
                if double_opt_in is not None:
                    added.append(("proca_doi", double_opt_in))
                return allowed(redir or "", self.hosts, added)

    @property
    def submits_itself(self) -> bool:
        """Whether one click on the link is enough for the org. What takes something back always needs a second one:
        whatever opens links in mails to look for harm may run scripts, too.
        """
        return self.context.org.one_click and self.purpose in ENDING


def open_link(keys: LinkKeys, purpose: Purpose, action_id: int, token: str, valid_days: int) -> SupporterLink:
    """The link with this token. Changes nothing.

    Raises `NotFound` after one read and the same work for whatever is wrong: an action that never was or is erased, a
    token of another action or purpose, or none at all. Raises `Ended`, and `Unavailable`.
    """
    where = store.read(store.action_id_key(action_id))
    ref = where.at if isinstance(where, ActionIdItem) else NOBODY
    proven = is_link_token(keys, ref, action_id, purpose, token)
    if not proven or not isinstance(where, ActionIdItem):
        raise NotFound("link")
    action = store.read(store.action_key(ref, action_id))
    if not isinstance(action, ActionItem) or action.supporter is None:
        raise NotFound("link")
    if has_ended(action_id, purpose, clock.now_ms(), valid_days):
        raise Ended
    return SupporterLink(purpose, action, page_context(int(action.page)))


def follow(link: SupporterLink, *, double_opt_in: bool) -> bool:
    """Do what the link is for; False when that was so already. `double_opt_in`: accepting also proves the address.

    Raises `NotFound`, `NotAllowed` (the supporter is new, or rejected), `Unavailable`.
    """
    action = int(link.action.id)
    match link.purpose:
        case Purpose.ACCEPT:
            return decide.accept_supporter(action, double_opt_in=double_opt_in)
        case Purpose.REJECT:
            return decide.reject_supporter(action)
        case Purpose.DOUBLE_OPT_IN:
            return decide.set_email_status(action, EmailStatus.DOUBLE_OPT_IN)
        case Purpose.UNSUBSCRIBE:
            return decide.set_email_status(action, EmailStatus.UNSUB)
