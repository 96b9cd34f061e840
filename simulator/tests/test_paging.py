"""Pages and page tokens."""

from itertools import pairwise

from simulator import Options, PageQuirks, World
from simulator.tests.support import ORDERS, Simulators, days_ago, error_of, window


def test_pages_hold_limit_rows_and_the_last_has_no_pagination(simulators: Simulators) -> None:
    pages = list(simulators.start().pages(ORDERS, limit=60))
    assert [len(page["orders"]) for page in pages] == [60, 60, 60, 20]
    assert "pagination" not in pages[-1]


def test_page_token_requires_the_same_parameters(simulators: Simulators) -> None:
    client = simulators.start()
    token = client.get(ORDERS, limit=10).json()["payload"]["pagination"]["nextToken"]
    assert client.get(ORDERS, limit=10, nextToken=token).status_code == 200
    assert error_of(client.get(ORDERS, nextToken=token)) == (400, "InvalidInput")
    assert error_of(client.get(ORDERS, limit=11, nextToken=token)) == (400, "InvalidInput")


def test_page_token_can_be_reused(simulators: Simulators) -> None:
    client = simulators.start()
    token = client.get(ORDERS, limit=10).json()["payload"]["pagination"]["nextToken"]
    pages = [client.get(ORDERS, limit=10, nextToken=token).content for _ in range(2)]
    assert pages[0] == pages[1]


def test_lists_can_start_with_an_empty_page(simulators: Simulators) -> None:
    client = simulators.start(options=Options(limits=False, empty_pages=True))
    first, *rest = client.pages(ORDERS)
    assert first["orders"] == []
    assert sum(len(page["orders"]) for page in rest) == 200


def test_last_page_can_be_empty(simulators: Simulators) -> None:
    quirks = PageQuirks(empty_page=1, repeated_row=0, stray_row=0)
    client = simulators.start(
        simulators.world(quirks=True), Options(limits=False, page_quirks=quirks)
    )
    pages = [len(page["orders"]) for page in client.pages(ORDERS)]
    assert pages == [0, 100, 0, 100, 0]


def odd_pages(simulators: Simulators, **shares: float) -> tuple[World, list[list[str]]]:
    """Return a world and the numbers on each page of one of its lists.

    Args:
        simulators: Starts the simulator.
        **shares: How often each quirk occurs; the other quirks do not occur.
    """
    quirks = PageQuirks(**{"empty_page": 0, "repeated_row": 0, "stray_row": 0, **shares})
    world = simulators.world(orders=600, quirks=True)
    client = simulators.start(world, Options(limits=False, page_quirks=quirks))
    pages = client.pages(ORDERS, limit=3, **window(days_ago(6), days_ago(1)))
    return world, [[row["purchaseOrderNumber"] for row in page["orders"]] for page in pages]


def test_some_pages_are_empty(simulators: Simulators) -> None:
    _, pages = odd_pages(simulators, empty_page=0.5)
    assert [] in pages[:-1]
    assert [number for page in pages for number in page]


def test_some_pages_repeat_a_row_of_the_page_before(simulators: Simulators) -> None:
    _, pages = odd_pages(simulators, repeated_row=0.5)
    repeated = [set(page) & set(before) for before, page in pairwise(pages)]
    assert any(repeated)
    assert max(map(len, pages)) == 3


def test_some_lists_have_one_row_from_outside_the_window(simulators: Simulators) -> None:
    world, pages = odd_pages(simulators, stray_row=1)
    places = [world.find_order(number) for page in pages for number in page]
    created = [world.orders[place].created / 1000 for place in places if place is not None]
    inside = [days_ago(6).timestamp() < date < days_ago(1).timestamp() for date in created]
    assert inside.count(False) == 1
    assert inside.count(True) > 3


def test_page_token_lasts_for_its_lifetime(simulators: Simulators) -> None:
    client = simulators.start(options=Options(limits=False, page_token_lifetime=60))
    token = client.get(ORDERS, limit=10).json()["payload"]["pagination"]["nextToken"]
    simulators.clock.seconds = 60
    assert client.get(ORDERS, limit=10, nextToken=token).status_code == 200
    simulators.clock.seconds = 61
    assert error_of(client.get(ORDERS, limit=10, nextToken=token)) == (400, "InvalidInput")


def test_every_page_starts_the_lifetime_of_the_next_token(simulators: Simulators) -> None:
    client = simulators.start(options=Options(limits=False, page_token_lifetime=60))
    pages = 0
    for _ in client.pages(ORDERS, limit=20):
        simulators.clock.seconds += 60
        pages += 1
    assert pages == 10
