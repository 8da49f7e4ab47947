"""Where messages leave for: the queues of the orgs, and our own queues of what is done for them."""

from __future__ import annotations

from dataclasses import dataclass

from proca_common.pipes.routing import Destination, Way
from proca_common.pipes.topology import queue_url


@dataclass(frozen=True, slots=True)
class Exits:
    """URLs of queues. `queue_url_prefix` is what those of the orgs' queues begin with; `detail` is missing where no
    details are looked up from, `targets` where nothing is delivered from.
    """

    queue_url_prefix: str
    mail: str
    push: str
    detail: str = ""
    targets: str = ""

    def url(self, destination: Destination) -> str:
        """The URL of the queue that leads to this destination."""
        match destination.where:
            case Way.MAIL:
                return self.mail
            case Way.PUSH:
                return self.push
            case Way.DETAIL:
                return self.detail
            case Way.TARGETS:
                return self.targets
            case queue:
                return queue_url(self.queue_url_prefix, destination.org, queue)
