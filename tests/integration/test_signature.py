"""From a signature to the org's queue."""

from tests.world import World


def test_a_signature_arrives_encrypted(world: World) -> None:
    org = world.org("ngo")
    page = world.page(org)
    answer = world.sign(page, email="Ida.Holm@example.org")
    world.run()
    [message] = world.messages(org)
    assert message["contact"]["email"] == "ida.holm@example.org"
    assert message["actionId"] == answer.action
    assert world.action(answer.action)["status"] == "delivered"
    assert world.numbers(page.campaign) == {"persons:total": 1, f"org:{org.id}": 1, "area:DK": 1, "type:register": 1}
    assert not world.pending()
