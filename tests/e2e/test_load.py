"""A thousand signatures from twenty connections at once: none is lost, none is twice, every number is exact."""

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.e2e.site import Page, Site

CONNECTIONS = 20
ONCE, THRICE = 35, 5  # people of each connection who sign so often: 50 signatures
COUNTRIES = ("DK", "PL", "IE", "SE")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("connections", [6, pytest.param(CONNECTIONS, marks=pytest.mark.soak)])
def test_many_signatures_at_once(site: Site, connections: int) -> None:
    lead, partner = site.org(), site.org()
    page = site.page(lead)
    other = site.page(partner, campaign=page.campaign)
    given_up = site.depth(site.client.stack.environ["STREAM_FAILURES_QUEUE"])

    def sign_all(connection: int) -> list[tuple[str, Page, int]]:
        """Each signature of one connection as (address, page, action), in the order in which they were answered."""
        people = [(number, f"person.{connection}.{number}@example.org") for number in range(ONCE + THRICE)]
        return [
            (email, each, site.signed(each, email=email, country=COUNTRIES[number % 4]))
            for number, email in people
            for each in ((page, page, other) if number < THRICE else (page,))
        ]

    with ThreadPoolExecutor(connections) as pool:
        signed = [each for batch in pool.map(sign_all, range(connections)) for each in batch]
    site.client.wait_until_delivered(180)
    messages, to_partner = site.actions(lead), site.messages(partner)

    assert len(signed) == len({action for *_, action in signed}) == 50 * connections
    # the partner's page delivers to the partner, and to nobody else
    assert sorted(action for _, each, action in signed if each is page) == [m.message["actionId"] for m in messages]
    assert sorted(action for _, each, action in signed if each is other) == [m["actionId"] for m in to_partner]
    assert len({each.key for each in messages}) == len(messages)

    ranks = defaultdict(list)
    for message in sorted([*(each.message for each in messages), *to_partner], key=lambda each: each["actionId"]):
        ranks[message["contact"]["email"]].append(message["contact"]["dupeRank"])
    assert len(ranks) == connections * (ONCE + THRICE)
    for connection in range(connections):
        for number in range(ONCE + THRICE):
            expected = [0, 1, 2] if number < THRICE else [0]
            assert ranks[f"person.{connection}.{number}@example.org"] == expected

    people = connections * (ONCE + THRICE)
    numbers = site.numbers(page)
    assert numbers == {
        "persons:total": people,
        f"org:{lead.id}": people,
        **{f"area:{country}": people // 4 for country in COUNTRIES},
        "type:register": people + connections * THRICE,  # the second signature on a page is a repeat
    }
    assert site.client.pending() == 0
    assert not site.depth(site.client.queue_url(lead.id, "deliver-dlq"))
    assert site.depth(site.client.stack.environ["STREAM_FAILURES_QUEUE"]) == given_up
