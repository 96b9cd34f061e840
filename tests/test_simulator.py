"""The simulator keeps Amazon's rules; one test a rule."""

import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests

from simulator import (
    Cut,
    Fault,
    Hang,
    Options,
    PageQuirks,
    Plan,
    Reply,
    Request,
    Reset,
    Simulator,
    World,
)

NOW = datetime(2026, 6, 1, 12, 0, 0, tzinfo=UTC)
ORDERS = "/vendor/orders/v1/purchaseOrders"
FREE = Options(limits=False)
ROOT = Path(__file__).parent.parent


class Clock:
    """A clock that moves when told, as wall clock and as monotonic clock."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds


class Client:
    """Signs in and asks both APIs."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.http = requests.Session()
        self.tokens = {api: self.sign_in(api) for api in ("sp_api", "business_api")}

    def form(self, api: str) -> dict[str, str]:
        config = self.simulator.config()
        names = ("client_id", "client_secret", "refresh_token")
        return {"grant_type": "refresh_token", **{n: config[f"{api}_{n}"] for n in names}}

    def post_token(self, form: dict[str, str]) -> requests.Response:
        return self.http.post(f"{self.simulator.url}/auth/o2/token", data=form, timeout=10)

    def sign_in(self, api: str) -> str:
        reply = self.post_token(self.form(api)).json()
        assert reply["token_type"] == "bearer"  # noqa: S105
        return str(reply["access_token"])

    def get(self, path: str, /, api: str = "sp_api", **query: object) -> requests.Response:
        headers = {"x-amz-access-token": self.tokens[api], "User-Agent": "test/1"}
        parameters = {name: str(value) for name, value in query.items()}
        url = self.simulator.url + path
        return self.http.get(url, params=parameters, headers=headers, timeout=10)

    def pages(self, path: str, **query: object) -> Iterator[dict[str, Any]]:
        token: dict[str, object] = {}
        while True:
            reply = self.get(path, "sp_api", **query, **token)
            assert reply.status_code == 200, reply.text
            payload = reply.json(parse_float=Decimal)["payload"]
            yield payload
            if "pagination" not in payload:
                return
            token = {"nextToken": payload["pagination"]["nextToken"]}

    def orders(self, **query: object) -> list[dict[str, Any]]:
        return [row for page in self.pages(ORDERS, **query) for row in page["orders"]]

    def all_orders(self, family: str, days: int = 171) -> list[dict[str, Any]]:
        found = []
        end = self.simulator.world.now() - timedelta(minutes=2)
        for start in range(0, days, 6):
            after = end - timedelta(days=start + 6, milliseconds=1)
            found += self.orders(**window(after, end - timedelta(days=start), family))
        return found

    def reports(self, number: str, region: str = "US", **query: object) -> requests.Response:
        path = f"/reports/2025-06-09/purchaseOrders/{quote(number, safe='')}/orderReports"
        return self.get(path, "business_api", region=region, **query)

    def close(self) -> None:
        self.http.close()


class House:
    """Starts simulators with a client each, and takes them down."""

    def __init__(self) -> None:
        self.clock = Clock()
        self._open: list[tuple[Simulator, Client]] = []

    def world(self, **traits: Any) -> World:
        return World(**{"orders": 200, "quirks": False, "now": self.clock.now, **traits})

    def open(self, world: World | None = None, options: Options = FREE) -> Client:
        simulator = Simulator(world or self.world(), options, monotonic=self.clock.monotonic)
        simulator.__enter__()
        client = Client(simulator)
        self._open.append((simulator, client))
        return client

    def close(self) -> None:
        for simulator, client in self._open:
            client.close()
            simulator.__exit__(None, None, None)


@pytest.fixture
def house() -> Iterator[House]:
    house = House()
    yield house
    house.close()


def window(after: datetime, before: datetime, family: str = "created") -> dict[str, str]:
    return {f"{family}After": after.isoformat(), f"{family}Before": before.isoformat()}


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def error(reply: requests.Response) -> tuple[int, str]:
    return reply.status_code, reply.json()["errors"][0]["code"]


# Login with Amazon


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ({"client_id": "x"}, 401, "invalid_client"),
        ({"client_secret": "x"}, 401, "invalid_client"),
        ({"refresh_token": "x"}, 400, "invalid_grant"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"refresh_token": ""}, 400, "invalid_request"),
    ],
)
def test_a_wrong_token_request_is_refused(
    house: House, wrong: dict[str, str], status: int, code: str
) -> None:
    client = house.open()
    reply = client.post_token({**client.form("sp_api"), **wrong})
    assert (reply.status_code, reply.json()["error"]) == (status, code)


def test_token_requests_are_counted_by_application(house: House) -> None:
    client = house.open()
    client.sign_in("business_api")
    client.post_token({"client_id": "x"})
    counted = client.simulator.stats().token_requests
    assert counted == {"selling_partner": 1, "business": 2, "unknown": 1}


def test_an_access_token_expires(house: House) -> None:
    client = house.open(options=Options(token_lifetime=60))
    house.clock.seconds = 59
    assert client.get(ORDERS).status_code == 200
    house.clock.seconds = 60
    assert error(client.get(ORDERS)) == (403, "Unauthorized")


def test_revoked_tokens_are_worthless_and_new_ones_good(house: House) -> None:
    client = house.open()
    client.simulator.revoke_tokens()
    assert error(client.get(ORDERS)) == (403, "Unauthorized")
    client.tokens["sp_api"] = client.sign_in("sp_api")
    assert client.get(ORDERS).status_code == 200


def test_a_token_is_good_for_one_api_only(house: House) -> None:
    client = house.open()
    assert error(client.get(ORDERS, "business_api")) == (403, "Unauthorized")


def test_a_request_without_a_token_is_refused(house: House) -> None:
    client = house.open()
    client.tokens["sp_api"] = ""
    assert error(client.get(ORDERS)) == (403, "Unauthorized")


@pytest.mark.parametrize("agent", ["", "x" * 501])
def test_a_user_agent_is_needed_and_short(house: House, agent: str) -> None:
    client = house.open()
    headers = {"x-amz-access-token": client.tokens["sp_api"], "User-Agent": agent}
    reply = client.http.get(client.simulator.url + ORDERS, headers=headers, timeout=10)
    assert reply.status_code == 400


def test_a_missing_role_is_told_like_a_bad_token(house: House) -> None:
    client = house.open(options=Options(lacking_roles=frozenset({"getPurchaseOrders"})))
    reply = client.get(ORDERS)
    assert error(reply) == (403, "Unauthorized")
    assert "role" in reply.json()["errors"][0]["details"]


# Vendor lists: parameters


@pytest.mark.parametrize(
    "query",
    [
        pytest.param({"limit": "0"}, id="limit 0"),
        pytest.param({"limit": "101"}, id="limit 101"),
        pytest.param({"limit": "many"}, id="limit is no number"),
        pytest.param({"createdAfter": days_ago(3).isoformat()}, id="one bound"),
        pytest.param({"changedBefore": days_ago(3).isoformat()}, id="one bound, changed"),
        pytest.param(window(days_ago(8), days_ago(1)), id="seven days"),
        pytest.param(window(days_ago(185), days_ago(183)), id="older than six months"),
        pytest.param(window(days_ago(1), NOW - timedelta(seconds=119)), id="too fresh"),
        pytest.param({"sortOrder": "ASC"}, id="sortOrder"),
        pytest.param({"purchaseOrderState": "Lost"}, id="unknown state"),
        pytest.param({"nextToken": "bm9uZQ=="}, id="unknown token"),
    ],
)
def test_an_invalid_input_is_refused(house: House, query: dict[str, str]) -> None:
    client = house.open()
    reply = client.get(ORDERS, **query)
    assert reply.status_code == 400
    told = {"code": "InvalidInput", "message": "Invalid Input", "details": ""}
    assert reply.json() == {"errors": [told]}


@pytest.mark.parametrize("text", ["2026-05-2014:00:00", "2026-05-20", "yesterday", ""])
def test_a_date_that_is_none_is_an_invalid_request(house: House, text: str) -> None:
    reply = house.open().get(ORDERS, createdAfter=text, createdBefore=days_ago(1).isoformat())
    assert error(reply) == (400, "InvalidRequest")


@pytest.mark.parametrize(
    "text", ["2026-05-29T12:00:00", "2026-05-29T12:00:00Z", "2026-05-29T14:00:00.000+02:00"]
)
def test_dates_are_read_with_any_offset_and_as_utc_without(house: House, text: str) -> None:
    world = house.world(orders=0)
    number = world.add_order(created=datetime(2026, 5, 29, 12, 0, 1, tzinfo=UTC))
    client = house.open(world)
    rows = client.orders(createdAfter=text, createdBefore="2026-05-29T12:00:02Z")
    assert [row["purchaseOrderNumber"] for row in rows] == [number]


def test_less_than_seven_days_and_six_months_are_taken(house: House) -> None:
    client = house.open()
    first = days_ago(184) + timedelta(seconds=1)
    last = first + timedelta(days=7, seconds=-1)
    assert client.get(ORDERS, **window(first, last)).status_code == 200


def test_accounts_differ_about_one_bound_and_sort_order(house: House) -> None:
    client = house.open(options=Options(one_bound_fails=False, sort_order_fails=False))
    after = days_ago(3).isoformat()
    assert client.get(ORDERS, createdAfter=after, sortOrder="ASC").status_code == 200


def test_an_unknown_parameter_is_ignored_and_reported(house: House) -> None:
    client = house.open()
    assert client.get(ORDERS, created_after="x", Limit="3").status_code == 200
    assert client.simulator.stats().unknown_parameters == {
        ("getPurchaseOrders", "created_after"): 1,
        ("getPurchaseOrders", "Limit"): 1,
    }


def test_malformed_requests_are_counted_by_operation_and_code(house: House) -> None:
    client = house.open()
    client.get(ORDERS, limit=0)
    client.get("/no/such/path")
    assert client.simulator.stats().malformed == {
        ("getPurchaseOrders", 400, "InvalidInput"): 1,
        ("unknown", 404, "NotFound"): 1,
    }


# Vendor lists: rows


def test_created_windows_bring_every_order_once(house: House) -> None:
    client = house.open()
    numbers = Counter(row["purchaseOrderNumber"] for row in client.all_orders("created"))
    assert numbers == Counter(list(client.simulator.world.purchase_orders()))


def test_orders_never_changed_are_in_no_changed_window(house: House) -> None:
    client = house.open(house.world(orders=300, changed=1 / 3))
    rows = client.all_orders("changed")
    assert len(rows) == 100
    assert all("purchaseOrderChangedDate" in row["orderDetails"] for row in rows)


def test_both_bounds_are_excluded(house: House) -> None:
    world = house.world(orders=0)
    world.add_order(created=days_ago(3))
    inside = world.add_order(created=days_ago(2))
    world.add_order(created=days_ago(1))
    rows = house.open(world).orders(**window(days_ago(3), days_ago(1)))
    assert [row["purchaseOrderNumber"] for row in rows] == [inside]


def test_rows_are_not_sorted(house: House) -> None:
    rows = house.open(house.world(orders=3000)).orders(**window(days_ago(7.9), days_ago(1)))
    dates = [row["orderDetails"]["purchaseOrderDate"] for row in rows]
    assert len(dates) > 20
    assert dates not in (sorted(dates), sorted(dates, reverse=True))


@pytest.mark.parametrize(
    ("query", "field", "value"),
    [
        ({"purchaseOrderState": "Closed"}, "purchaseOrderState", "Closed"),
        ({"orderingVendorCode": "999US"}, "sellingParty", {"partyId": "999US"}),
    ],
)
def test_filters_narrow_the_list(
    house: House, query: dict[str, str], field: str, value: object
) -> None:
    rows = house.open().orders(**query)
    assert rows
    assert all({**row, **row["orderDetails"]}[field] == value for row in rows)


def test_changed_orders_can_be_asked_for_and_left_out(house: House) -> None:
    client = house.open()
    changed = client.orders(isPOChanged="true")
    unchanged = client.orders(isPOChanged="false")
    assert len(changed) == 67
    assert len(changed) + len(unchanged) == 200


def test_cancelled_items_can_be_asked_for(house: House) -> None:
    rows = house.open().orders(poItemState="Cancelled")
    assert 0 < len(rows) < 40
    assert all(r["orderDetails"]["items"][0]["orderedQuantity"]["amount"] == 0 for r in rows)


def test_without_details_only_number_and_state_come(house: House) -> None:
    rows = house.open().orders(includeDetails="false")
    assert all(set(row) == {"purchaseOrderNumber", "purchaseOrderState"} for row in rows)


def test_pages_hold_the_limit_and_the_last_has_no_pagination(house: House) -> None:
    pages = list(house.open().pages(ORDERS, limit=60))
    assert [len(page["orders"]) for page in pages] == [60, 60, 60, 20]
    assert "pagination" not in pages[-1]


def test_a_token_needs_the_same_parameters(house: House) -> None:
    client = house.open()
    token = client.get(ORDERS, limit=10).json()["payload"]["pagination"]["nextToken"]
    assert client.get(ORDERS, limit=10, nextToken=token).status_code == 200
    assert error(client.get(ORDERS, nextToken=token)) == (400, "InvalidInput")
    assert error(client.get(ORDERS, limit=11, nextToken=token)) == (400, "InvalidInput")


def test_a_token_gives_the_same_page_again(house: House) -> None:
    client = house.open()
    token = client.get(ORDERS, limit=10).json()["payload"]["pagination"]["nextToken"]
    pages = [client.get(ORDERS, limit=10, nextToken=token).content for _ in range(2)]
    assert pages[0] == pages[1]


def test_every_list_may_begin_with_an_empty_page(house: House) -> None:
    client = house.open(options=Options(limits=False, empty_pages=True))
    first, *rest = client.pages(ORDERS)
    assert first["orders"] == []
    assert sum(len(page["orders"]) for page in rest) == 200


def test_odd_pages_are_empty_repeat_rows_and_stray(house: House) -> None:
    quirks = PageQuirks(empty_page=0.3, repeated_row=0.5, stray_row=1.0)
    world = house.world(orders=3000, quirks=True)
    client = house.open(world, Options(limits=False, page_quirks=quirks))
    pages = list(client.pages(ORDERS, limit=3, **window(days_ago(6), days_ago(1))))
    numbers = Counter(row["purchaseOrderNumber"] for page in pages for row in page["orders"])
    places = [world.find_order(number) for number in numbers]
    created = [world.orders[place].created / 1000 for place in places if place is not None]
    assert any(not page["orders"] for page in pages[:-1])
    assert max(numbers.values()) > 1
    assert (
        sum(not days_ago(6).timestamp() < date < days_ago(1).timestamp() for date in created) == 1
    )
    assert max(len(page["orders"]) for page in pages) == 3


def test_a_last_page_may_be_empty(house: House) -> None:
    quirks = PageQuirks(empty_page=1, repeated_row=0, stray_row=0)
    client = house.open(house.world(quirks=True), Options(limits=False, page_quirks=quirks))
    pages = [len(page["orders"]) for page in client.pages(ORDERS)]
    assert pages == [0, 100, 0, 100, 0]


def test_replies_carry_request_id_and_rate(house: House) -> None:
    headers = house.open(options=Options()).get(ORDERS).headers
    assert headers["x-amzn-RequestId"]
    assert headers["x-amzn-RateLimit-Limit"] == "10.0"


def test_another_rate_can_be_announced(house: House) -> None:
    client = house.open(options=Options(announced_rates={"getPurchaseOrders": 2.5}))
    assert client.get(ORDERS).headers["x-amzn-RateLimit-Limit"] == "2.5"


# One order


def test_every_order_is_found_by_its_encoded_number(house: House) -> None:
    client = house.open(house.world(orders=1500))
    typed = [n for n in client.simulator.world.purchase_orders() if not n.isalnum()]
    assert {"100%25", "a/b c#d?e+f;g", "Größe 4/5"} <= set(typed)
    for number in typed:
        reply = client.get(f"{ORDERS}/{quote(number, safe='')}")
        assert reply.json()["payload"]["purchaseOrderNumber"] == number


def test_a_number_encoded_in_part_is_not_found(house: House) -> None:
    world = house.world(orders=0)
    world.add_order(created=days_ago(1), number="a/b")
    client = house.open(world)
    assert error(client.get(f"{ORDERS}/a/b")) == (404, "NotFound")
    assert error(client.get(f"{ORDERS}/a%252Fb")) == (404, "NotFound")
    assert client.get(f"{ORDERS}/a%2Fb").status_code == 200


# Rate limits


def test_a_bucket_starts_full_refuses_and_refills(house: House) -> None:
    plans = {"getPurchaseOrders": Plan(rate=2, burst=3)}
    client = house.open(options=Options(rates=plans))
    statuses = [client.get(ORDERS, limit=1).status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    house.clock.seconds += 0.4
    refused = client.get(ORDERS, limit=1)
    assert error(refused) == (429, "QuotaExceeded")
    assert "x-amzn-RateLimit-Limit" not in refused.headers
    assert "Retry-After" not in refused.headers
    house.clock.seconds += 0.2
    assert client.get(ORDERS, limit=1).status_code == 200
    assert client.simulator.stats().operations["getPurchaseOrders"].refused == 2


def test_every_attempt_pays_even_a_bad_one(house: House) -> None:
    plans = {"getPurchaseOrders": Plan(rate=1, burst=2)}
    client = house.open(options=Options(rates=plans))
    assert client.get(ORDERS, limit=0).status_code == 400
    assert client.get(ORDERS, limit=0).status_code == 400
    assert client.get(ORDERS, limit=0).status_code == 429


def test_operations_have_buckets_of_their_own(house: House) -> None:
    plans = {"getPurchaseOrders": Plan(rate=1, burst=1)}
    client = house.open(options=Options(rates=plans))
    assert [client.get(ORDERS).status_code for _ in range(2)] == [200, 429]
    assert client.reports("x").status_code == 200


def test_published_plans_hold_by_default(house: House) -> None:
    client = house.open(options=Options())
    assert [client.reports("x").status_code for _ in range(11)] == [200] * 10 + [429]
    house.clock.seconds += 2
    assert [client.reports("x").status_code for _ in range(2)] == [200, 429]


def test_retry_after_can_be_told(house: House) -> None:
    plans = {"getPurchaseOrders": Plan(rate=1, burst=0)}
    client = house.open(options=Options(rates=plans, retry_after=3))
    assert client.get(ORDERS).headers["Retry-After"] == "3"


# Amazon Business


def test_order_reports_come_by_number_and_region(house: House) -> None:
    client = house.open()
    world = client.simulator.world
    found = {
        (number, row["orderMetadata"]["orderId"]): row
        for number in world.purchase_orders()
        for region in world.regions
        for row in client.reports(number, region).json(parse_float=Decimal)["ordersReport"]
    }
    assert found == world.order_reports()


@pytest.mark.parametrize("region", ["GB", "us", ""])
def test_an_unknown_region_is_refused(house: House, region: str) -> None:
    assert error(house.open().reports("x", region)) == (400, "InvalidInput")


def test_a_missing_region_is_refused(house: House) -> None:
    client = house.open()
    reply = client.get("/reports/2025-06-09/purchaseOrders/x/orderReports", "business_api")
    assert error(reply) == (400, "InvalidInput")


def test_an_unknown_number_has_an_empty_list(house: House) -> None:
    reply = house.open().reports("no such number").json()
    assert (reply["ordersReport"], reply["size"]) == ([], 0)


def test_orders_older_than_two_years_are_not_served(house: House) -> None:
    world = house.world(orders=0, regions=("US",))
    old = world.add_order(created=days_ago(740), reports=1)
    young = world.add_order(created=days_ago(720), reports=1)
    client = house.open(world)
    assert client.reports(old).json()["size"] == 0
    assert client.reports(young).json()["size"] == 1


def test_report_pages_end_with_null_or_nothing(house: House) -> None:
    world = house.world(orders=0, regions=("US",))
    number = world.add_order(created=days_ago(9), reports=5)
    client = house.open(world, Options(limits=False, page_size=2))
    last_pages = []
    for _ in range(2):
        sizes: list[int] = []
        token: dict[str, str] = {}
        while True:
            page = client.reports(number, **token).json()
            sizes.append(page["size"])
            if page.get("nextPageToken") is None:
                break
            token = {"nextPageToken": page["nextPageToken"]}
        assert sizes == [2, 2, 1]
        last_pages.append("nextPageToken" in page)
    assert sorted(last_pages) == [False, True]


def test_a_report_token_needs_the_same_number_and_region(house: House) -> None:
    world = house.world(orders=0, regions=("US",))
    numbers = [world.add_order(created=days_ago(9), reports=5) for _ in range(2)]
    client = house.open(world, Options(limits=False, page_size=2))
    token = client.reports(numbers[0]).json()["nextPageToken"]
    assert error(client.reports(numbers[1], nextPageToken=token)) == (400, "InvalidInput")
    assert error(client.reports(numbers[0], "CA", nextPageToken=token)) == (400, "InvalidInput")
    assert client.reports(numbers[0], nextPageToken=token).status_code == 200


def test_money_is_sent_digit_by_digit(house: House) -> None:
    client = house.open(house.world(orders=2000, quirks=True))
    amounts = {
        str(charge["amount"]["amount"])
        for row in client.simulator.world.order_reports().values()
        for charge in row["charges"]
    }
    assert {"19.90", "1234567.89", "0.1", "12345678901234.5678", "7"} <= amounts


def test_canned_reports_are_followed_by_their_tokens(house: House) -> None:
    pages = (
        b'{"ordersReport": [{"a": 1.10}], "nextPageToken": "123asda", "size": 1}',
        b'{"ordersReport": [], "nextPageToken": null, "size": 0}',
    )
    client = house.open(options=Options(limits=False, canned_order_reports={"P 1": pages}))
    assert client.reports("P 1").content == pages[0]
    assert client.reports("P 1", nextPageToken="123asda").content == pages[1]
    assert error(client.reports("P 1", nextPageToken="x")) == (400, "InvalidInput")


# The other vendor lists


STATUSES = "/vendor/orders/v1/purchaseOrdersStatus"
SHIPMENTS = "/vendor/shipping/v1/shipments"


def test_statuses_are_found_by_both_dates(house: House) -> None:
    client = house.open()
    days = {"after": days_ago(6), "before": days_ago(1)}
    expected = client.simulator.rows("purchase_order_statuses")
    for family in ("created", "updated"):
        query = window(days["after"], days["before"], family)
        found = [r for page in client.pages(STATUSES, **query) for r in page["ordersStatus"]]
        field = {"created": "purchaseOrderDate", "updated": "lastUpdatedDate"}[family]
        inside = {
            key
            for key, row in expected.items()
            if days["after"].isoformat() < row.get(field, "") < days["before"].isoformat()
        }
        assert {(row["purchaseOrderNumber"],) for row in found} == inside
        assert inside
        assert all(expected[row["purchaseOrderNumber"],] == row for row in found)


def test_a_status_without_a_last_update_has_no_such_date(house: House) -> None:
    rows = house.open().simulator.rows("purchase_order_statuses").values()
    assert 0 < sum("lastUpdatedDate" not in row for row in rows) < len(rows) / 2


@pytest.mark.parametrize(
    "query",
    [
        {"purchaseOrderStatus": "CLOSED"},
        {"itemConfirmationStatus": "REJECTED"},
        {"itemReceiveStatus": "RECEIVED"},
        {"shipToPartyId": "ABE2"},
        {"orderingVendorCode": "API01"},
        {"purchaseOrderNumber": "100%25"},
    ],
)
def test_status_filters_narrow_the_list(house: House, query: dict[str, str]) -> None:
    client = house.open(house.world(orders=300))
    found = [row for page in client.pages(STATUSES, **query) for row in page["ordersStatus"]]
    assert 0 < len(found) < 300
    assert all(f'"{value}"' in json.dumps(row) for row in found for value in query.values())


def test_shipments_are_found_by_their_dates(house: House) -> None:
    client = house.open()
    expected = client.simulator.rows("vendor_shipments")
    found = {row["vendorShipmentIdentifier"]: row for row in all_shipments(client, "created")}
    assert {(key,): row for key, row in found.items()} == expected
    shipped = all_shipments(client, "shipped")
    assert 0 < len(shipped) < len(found)
    assert all("shippedDate" in row["transportationDetails"] for row in shipped)


def all_shipments(client: Client, family: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for start in range(0, 172, 4):
        query = window(days_ago(start + 4.0001), days_ago(start + 0.01), family)
        found += [row for page in client.pages(SHIPMENTS, **query) for row in page["shipments"]]
    return found


def test_shipment_pages_hold_fifty(house: House) -> None:
    client = house.open()
    assert len(client.get(SHIPMENTS).json()["payload"]["shipments"]) == 50
    assert error(client.get(SHIPMENTS, limit=51)) == (400, "InvalidInput")


def test_shipment_filters_narrow_the_list(house: House) -> None:
    client = house.open()
    ((one,), row), *_ = client.simulator.rows("vendor_shipments").items()
    query = {
        "vendorShipmentIdentifier": one,
        "currentShipmentStatus": row["currentShipmentStatus"],
        "buyerWarehouseCode": row["shipToParty"]["partyId"],
    }
    (page,) = client.pages(SHIPMENTS, **query)
    assert [r["vendorShipmentIdentifier"] for r in page["shipments"]] == [one]


# Amazon Business by date


BY_DATE = {
    "orders": ("orderReports", "ordersReport"),
    "order_line_items": ("orderLineItemReports", "orderLineItemsReport"),
    "shipments": ("shipmentReports", "shipmentsReport"),
    "shipment_line_items": ("shipmentLineItemReports", "shipmentLineItemsReport"),
}


def dated(first: str, last: str, start: datetime, end: datetime) -> dict[str, str]:
    return {first: start.isoformat(), last: end.isoformat()}


def order_dates(start: datetime, end: datetime) -> dict[str, str]:
    return dated("orderStartDate", "orderEndDate", start, end)


def business_rows(
    client: Client, path: str, array: str, query: dict[str, str]
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    token: dict[str, str] = {}
    while True:
        page = client.get(path, "business_api", **query, **token).json(parse_float=Decimal)
        found += page[array]
        if page.get("nextPageToken") is None:
            return found
        token = {"nextPageToken": page["nextPageToken"]}


@pytest.mark.parametrize("stream", BY_DATE)
def test_reports_by_date_bring_every_row(house: House, stream: str) -> None:
    client = house.open()
    path, array = BY_DATE[stream]
    found: list[dict[str, Any]] = []
    for region in ("US", "CA"):
        query = {**order_dates(days_ago(360), NOW), "region": region}
        found += business_rows(client, f"/reports/2025-06-09/{path}", array, query)
    expected = list(client.simulator.rows(stream).values())
    assert len(found) == len(expected)
    assert all(row in expected for row in found)


def test_the_same_reports_come_by_date_and_by_number(house: House) -> None:
    simulator = house.open().simulator
    by_id = simulator.rows("orders")
    by_number = simulator.rows("order_reports")
    assert len(by_id) == len(by_number) + 20
    assert all(by_id[order_id,] == row for (_, order_id), row in by_number.items())


def test_the_start_is_included_and_the_end_is_not(house: House) -> None:
    client = house.open()
    moments = sorted(r.ordered for r in client.simulator.world.reports if r.region == "US")
    start, end = (datetime.fromtimestamp(m / 1000, UTC) for m in (moments[10], moments[20]))
    query = {**order_dates(start, end), "region": "US"}
    path = "/reports/2025-06-09/orderReports"
    assert len(business_rows(client, path, "ordersReport", query)) == 10


@pytest.mark.parametrize(
    "query",
    [
        pytest.param(order_dates(days_ago(367), days_ago(0)), id="more than 366 days"),
        pytest.param(order_dates(days_ago(3), days_ago(-1)), id="end in the future"),
        pytest.param(order_dates(days_ago(731), days_ago(700)), id="more than two years ago"),
        pytest.param(order_dates(days_ago(1), days_ago(2)), id="end before start"),
        pytest.param({"orderStartDate": days_ago(1).isoformat()}, id="no end"),
    ],
)
def test_a_bad_range_of_order_dates_is_refused(house: House, query: dict[str, str]) -> None:
    client = house.open()
    reply = client.get("/reports/2025-06-09/orderReports", "business_api", region="US", **query)
    assert error(reply) == (400, "InvalidInput")


def test_reports_are_filtered_by_lists_of_values(house: House) -> None:
    client = house.open()
    query = {**order_dates(days_ago(300), NOW), "region": "US"}
    reports = "/reports/2025-06-09/"
    some = business_rows(
        client,
        reports + "orderReports",
        "ordersReport",
        {**query, "orderStatuses": "CLOSED,CANCELLED"},
    )
    assert {row["orderStatus"] for row in some} == {"CLOSED", "CANCELLED"}
    ids = ",".join(row["orderMetadata"]["orderId"] for row in some[:3])
    lines = business_rows(
        client,
        reports + "orderLineItemReports",
        "orderLineItemsReport",
        {**query, "orderIds": ids},
    )
    assert {row["orderMetadata"]["orderId"] for row in lines} == set(ids.split(","))
    many = {**query, "orderIds": ",".join(["x"] * 31)}
    reply = client.get(reports + "orderLineItemReports", "business_api", **many)
    assert error(reply) == (400, "InvalidInput")


def test_transactions_come_by_feed_date(house: House) -> None:
    client = house.open()
    path = "/reconciliation/2021-01-08/transactions"
    query = dated("feedStartDate", "feedEndDate", days_ago(180), NOW)
    found = business_rows(client, path, "transactions", query)
    expected = client.simulator.rows("transactions")
    assert {(row["transactionId"],): row for row in found} == expected
    assert len(found) == len(expected)
    assert error(client.get(path, "business_api")) == (400, "InvalidInput")


@pytest.mark.parametrize(
    ("stream", "count"),
    [
        ("purchase_orders", 210),
        ("purchase_order_items", None),
        ("purchase_order_statuses", 210),
        ("vendor_shipments", None),
        *((stream, None) for stream in ("order_reports", "transactions", *BY_DATE)),
    ],
)
def test_truth_rows_are_as_many_as_it_counts(house: House, stream: str, count: int | None) -> None:
    simulator = house.open().simulator
    url = simulator.url + "/_simulator/truth"
    before = requests.get(url, timeout=10).json()["rows"][stream]
    assert before == len(simulator.rows(stream))
    simulator.world.change(new=10)
    after = requests.get(url, timeout=10).json()["rows"][stream]
    assert after == len(simulator.rows(stream))
    assert count in {None, after}


# The world


def test_the_same_seed_gives_the_same_bytes(house: House) -> None:
    replies = [house.open(house.world(quirks=True)).get(ORDERS).content for _ in range(2)]
    other = house.open(house.world(quirks=True, seed=2)).get(ORDERS).content
    assert replies[0] == replies[1] != other


def test_the_share_of_changed_orders_is_exact(house: House) -> None:
    world = house.world(orders=3000, changed=0.33)
    assert sum(order.changed is not None for order in world.orders) == 990


def test_odd_rows_are_all_there(house: House) -> None:
    rows = list(house.world(orders=3000, quirks=True).purchase_orders().values())
    details = [row["orderDetails"] for row in rows]
    items = [item for detail in details for item in detail["items"]]
    dates = [detail.get("purchaseOrderDate", "") for detail in details]
    assert any("purchaseOrderState" not in row for row in rows)
    assert any("undocumentedField" in row for row in rows)
    assert any("undocumentedItemField" in item for item in items)
    assert any(item["orderedQuantity"]["unitOfMeasure"] == "CASES" for item in items)
    assert any(item.get("listPrice", 0) is None for item in items)
    assert any(date.endswith("+02:00") for date in dates)
    assert any("." in date for date in dates)
    assert any(not any("Date" in name for name in detail) for detail in details)
    amounts = {item["netCost"]["amount"] for item in items}
    assert {"140", "0.1", "346.2700", "1234567890.123456789", "1E+2"} <= amounts


def test_an_order_without_dates_is_still_found_in_its_window(house: House) -> None:
    client = house.open(house.world(orders=3000, quirks=True))
    found = {row["purchaseOrderNumber"] for row in client.all_orders("created")}
    assert found == set(client.simulator.world.purchase_orders())


def test_reports_are_odd_as_amazon_s_are(house: House) -> None:
    reports = house.world(orders=3000, quirks=True).order_reports()
    dates = {type(row["orderMetadata"]["orderDate"]) for row in reports.values()}
    assert dates == {str, dict}
    assert any(row.get("purchaseOrderNumber") is None for row in reports.values())
    assert any(
        row.get("purchaseOrderNumber") not in {None, number} for (number, _), row in reports.items()
    )
    assert any(row.get("approverDetails", 0) is None for row in reports.values())
    assert 4500 < len(reports) < 5100


def test_change_touches_exactly_what_it_says(house: House) -> None:
    world = house.world(orders=1000, quirks=True)
    before = world.purchase_orders()
    house.clock.seconds += 600
    changes = world.change(fraction=0.1, state_only=0.2, new=7)
    after = world.purchase_orders()
    assert changes.counts() == {"changed": 100, "state_only": len(changes.state_only), "new": 7}
    assert changes.state_only
    touched = {number for number in before if before[number] != after[number]}
    assert touched == set(changes.changed) | set(changes.state_only)
    assert set(after) - set(before) == set(changes.new)
    stamp = (world.now() - timedelta(seconds=150)).timestamp() * 1000
    for number in changes.changed:
        place = world.find_order(number)
        assert place is not None
        assert world.orders[place].changed == stamp
    for number in changes.state_only:
        old, new = before[number]["orderDetails"], after[number]["orderDetails"]
        assert {n for n in new if old.get(n) != new[n]} == {"purchaseOrderStateChangedDate"}


def test_a_sync_of_this_moment_sees_the_change(house: House) -> None:
    client = house.open()
    changes = client.simulator.world.change(fraction=0.1, state_only=0, new=3)
    hour = NOW - timedelta(hours=1), NOW - timedelta(minutes=2)
    changed = client.orders(**window(*hour, "changed"))
    created = client.orders(**window(*hour))
    assert {row["purchaseOrderNumber"] for row in changed} >= set(changes.changed)
    assert {row["purchaseOrderNumber"] for row in created} >= set(changes.new)


# Faults


def test_scripted_replies_are_sent_raw_and_in_turn(house: House) -> None:
    client = house.open()
    html = {"Content-Type": "text/html"}
    client.simulator.fail_next(
        "getPurchaseOrders",
        Reply(503, html, b"<html>"),
        Reply(200, body=b'{"payload": {"ord'),
        Reply(500),
    )
    assert client.get(ORDERS).text == "<html>"
    assert client.get(ORDERS).text == '{"payload": {"ord'
    assert client.get(ORDERS).content == b""
    assert client.get(ORDERS).status_code == 200
    assert client.simulator.stats().faults == 3


@pytest.mark.parametrize("fault", [Reset(), Hang(seconds=0), Cut()])
def test_connections_break(house: House, fault: Reset | Hang | Cut) -> None:
    client = house.open()
    client.simulator.fail_next("getPurchaseOrders", fault)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        client.get(ORDERS)
    assert client.get(ORDERS).status_code == 200
    assert client.simulator.stats().operations["getPurchaseOrders"].by_status == {0: 1, 200: 1}


def test_a_policy_sees_every_request(house: House) -> None:
    class EverySecondPage:
        def decide(self, request: Request) -> Fault | None:
            return Reply(400) if "nextToken" in request.parameters else None

    with Simulator(house.world(), FREE, faults=[EverySecondPage()]) as simulator:
        client = Client(simulator)
        token = client.get(ORDERS).json()["payload"]["pagination"]["nextToken"]
        assert client.get(ORDERS, nextToken=token).status_code == 400
        client.close()


def test_a_silent_server_holds_nobody_up_when_it_stops(house: House) -> None:
    client = house.open()
    client.simulator.fail_next("getPurchaseOrders", Hang())
    headers = {"x-amz-access-token": client.tokens["sp_api"]}
    with pytest.raises(requests.ReadTimeout):
        client.http.get(client.simulator.url + ORDERS, headers=headers, timeout=0.05)


def test_requests_in_flight_are_counted(house: House) -> None:
    client = house.open(options=Options(limits=False, latency=0.2))
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: client.get(ORDERS, limit=1), range(3)))
    traffic = client.simulator.stats().operations["getPurchaseOrders"]
    assert (traffic.requests, traffic.in_flight, traffic.max_in_flight) == (3, 0, 3)


def test_a_taken_port_is_an_error(house: House) -> None:
    port = int(house.open().simulator.url.rpartition(":")[2])
    with pytest.raises(OSError, match="in use"), Simulator(house.world(), port=port):
        pass


def test_the_token_endpoint_fails_too(house: House) -> None:
    client = house.open()
    client.simulator.fail_next("token", Reply(503))
    assert client.post_token(client.form("sp_api")).status_code == 503
    assert client.post_token(client.form("sp_api")).status_code == 200


# The control door


def test_the_control_door_tells_and_changes(house: House) -> None:
    client = house.open()
    door = client.simulator.url + "/_simulator/"
    client.get(ORDERS, limit=1)
    traffic = client.http.get(door + "stats", timeout=10).json()["operations"]["getPurchaseOrders"]
    assert (traffic["requests"], traffic["by_status"], traffic["rows"]) == (1, {"200": 1}, 1)
    assert traffic["max_in_flight"] == 1
    change = client.http.post(door + "change?fraction=0.5&state_only=0&new=2", timeout=10).json()
    assert change == {"changed": 100, "state_only": 0, "new": 2}
    client.http.post(door + "revoke", timeout=10)
    assert client.get(ORDERS).status_code == 403
    client.http.post(door + "reset", timeout=10)
    assert client.simulator.stats().operations["getPurchaseOrders"].requests == 0
    assert client.http.get(door + "nothing", timeout=10).status_code == 404


def test_truth_counts_rows_and_money_exactly(house: House) -> None:
    client = house.open()
    told = client.http.get(client.simulator.url + "/_simulator/truth", timeout=10).json()
    world = client.simulator.world
    items = [i for row in world.purchase_orders().values() for i in row["orderDetails"]["items"]]
    assert told["rows"]["purchase_orders"] == 200
    assert told["rows"]["purchase_order_items"] == len(items)
    assert told["rows"]["order_reports"] == len(world.order_reports())
    assert Decimal(told["money"]["purchase_order_items.netCost"]) == sum(
        Decimal(item["netCost"]["amount"]) for item in items
    )


# Model mode


MODEL = {
    "paths": {
        ORDERS: {
            "get": {
                "operationId": "getPurchaseOrders",
                "responses": {
                    "200": {
                        "x-amzn-api-sandbox": {
                            "static": [
                                {
                                    "request": {
                                        "parameters": {
                                            "createdAfter": {"value": "2019-08-20T14:00:00"},
                                            "limit": {"value": 2},
                                        }
                                    },
                                    "response": {
                                        "payload": {
                                            "pagination": {"nextToken": "T=="},
                                            "orders": [{"purchaseOrderNumber": "FIRST"}],
                                        }
                                    },
                                },
                                {
                                    "request": {
                                        "parameters": {
                                            "createdAfter": {"value": "2019-08-20T14:00:00"},
                                            "nextToken": {"value": "T=="},
                                        }
                                    },
                                    "response": {
                                        "payload": {"orders": [{"purchaseOrderNumber": "SECOND"}]}
                                    },
                                },
                                {
                                    "request": {
                                        "parameters": {"changedAfter": {"value": "2020-05-25"}}
                                    },
                                    "response": {
                                        "payload": {
                                            "pagination": {"nextToken": "NOWHERE"},
                                            "orders": [{"purchaseOrderNumber": "CHANGED"}],
                                        }
                                    },
                                },
                            ]
                        }
                    }
                },
            }
        },
        ORDERS + "/{purchaseOrderNumber}": {
            "get": {
                "operationId": "getPurchaseOrder",
                "responses": {
                    "200": {
                        "x-amzn-api-sandbox": {
                            "static": [
                                {
                                    "request": {
                                        "parameters": {"purchaseOrderNumber": {"value": "ONE"}}
                                    },
                                    "response": {"payload": {"purchaseOrderNumber": "ONE"}},
                                }
                            ]
                        }
                    }
                },
            }
        },
    }
}


def test_a_model_s_sandbox_cases_are_replayed_by_kind_of_request(
    house: House, tmp_path: Path
) -> None:
    model = tmp_path / "model.json"
    model.write_text(json.dumps(MODEL), encoding="utf-8")
    client = house.open(options=Options(model=model))
    created = client.orders(**window(days_ago(900), days_ago(3)), limit=100)
    changed = client.orders(**window(days_ago(5), days_ago(3), "changed"))
    assert [row["purchaseOrderNumber"] for row in created] == ["FIRST", "SECOND"]
    assert [row["purchaseOrderNumber"] for row in changed] == ["CHANGED"]
    assert client.get(f"{ORDERS}/ONE").json() == {"payload": {"purchaseOrderNumber": "ONE"}}
    assert error(client.get(f"{ORDERS}/TWO")) == (404, "NotFound")
    assert error(client.get(ORDERS, nextToken="other")) == (400, "InvalidInput")


# The command line


def test_the_command_line_explains_itself() -> None:
    command = [sys.executable, "-m", "simulator", "--help"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "--lacking-role" in shown.stdout


def test_the_command_line_serves_until_told_to_stop(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    command = [sys.executable, "-m", "simulator", "--orders", "20"]
    command += [
        "--write-config",
        str(config),
        "--rates",
        '{"getPurchaseOrders": {"rate": 1, "burst": 2}}',
    ]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        url = json.loads(config.read_text(encoding="utf-8"))["sp_api_url"]
        assert line == f"listening on {url}\n"
        assert requests.get(f"{url}/_simulator/stats", timeout=10).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
