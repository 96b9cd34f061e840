"""The filters of vendor operations beside their dates."""

from collections.abc import Callable, Mapping, Sequence

from simulator.encoding import decode
from simulator.errors import invalid_input
from simulator.world import World, statuses
from simulator.world.orders import STATES

Matches = Callable[[int], bool]
"""A test that a row, given by its place, passes the filters of a query."""

ORDER_FILTERS = ("poItemState", "isPOChanged", "purchaseOrderState", "orderingVendorCode")
STATUS_FILTERS = (
    "purchaseOrderNumber",
    "purchaseOrderStatus",
    "itemConfirmationStatus",
    "itemReceiveStatus",
    "orderingVendorCode",
    "shipToPartyId",
)
SHIPMENT_FILTERS = (
    "currentShipmentStatus",
    "vendorShipmentIdentifier",
    "buyerReferenceNumber",
    "buyerWarehouseCode",
    "sellerWarehouseCode",
)


def order_filter(world: World, query: Mapping[str, str]) -> Matches | None:
    """Return the filter of a getPurchaseOrders query."""
    if not query.keys() & set(ORDER_FILTERS):
        return None
    state = one_of(query, "purchaseOrderState", STATES)
    cancelled = one_of(query, "poItemState", ("Cancelled",)) is not None
    changed = one_of(query, "isPOChanged", ("true", "false"))
    vendor_code = query.get("orderingVendorCode")

    def matches(place: int) -> bool:
        order = world.orders[place]
        return (
            state in {None, order.state}
            and (order.cancelled or not cancelled)
            and changed in {None, "false" if order.changed is None else "true"}
            and vendor_code in {None, order.vendor_code}
        )

    return matches


def status_filter(world: World, query: Mapping[str, str]) -> Matches | None:
    """Return the filter of a getPurchaseOrdersStatus query."""
    if not query.keys() & set(STATUS_FILTERS):
        return None
    number = query.get("purchaseOrderNumber")
    status = one_of(query, "purchaseOrderStatus", statuses.STATUSES)
    confirmation = one_of(query, "itemConfirmationStatus", statuses.CONFIRMATIONS)
    receipt = one_of(query, "itemReceiveStatus", statuses.RECEIPTS)
    vendor_code = query.get("orderingVendorCode")
    ship_to = query.get("shipToPartyId")

    def matches(place: int) -> bool:
        order = world.orders[place]
        return (
            number in {None, order.number}
            and status in {None, statuses.status_of(order)}
            and vendor_code in {None, order.vendor_code}
            and ({confirmation, receipt, ship_to} == {None} or matches_row(place))
        )

    def matches_row(place: int) -> bool:
        row = decode(world.status_rows[place])
        states = {
            (item.get(part) or {}).get(name)
            for item in row["itemStatus"]
            for part, name in (
                ("acknowledgementStatus", "confirmationStatus"),
                ("receivingStatus", "receiveStatus"),
            )
        }
        return {confirmation, receipt} - {None} <= states and (
            ship_to in {None, row["shipToParty"]["partyId"]}
        )

    return matches


def shipment_filter(world: World, query: Mapping[str, str]) -> Matches | None:
    """Return the filter of a GetShipmentDetails query."""
    if not query.keys() & set(SHIPMENT_FILTERS):
        return None
    wanted = tuple(query.get(name) for name in SHIPMENT_FILTERS)

    def matches(place: int) -> bool:
        shipment = world.vendor_shipments.table[place]
        found = (
            shipment.status,
            shipment.identifier,
            shipment.reference,
            shipment.warehouse,
            shipment.order.vendor_code,
        )
        return all(want in {None, find} for want, find in zip(wanted, found, strict=True))

    return matches


def one_of(query: Mapping[str, str], name: str, values: Sequence[str]) -> str | None:
    """Return a parameter that takes only certain values, if it is there.

    Raises:
        ApiError: It has another value.
    """
    text = query.get(name)
    if text is not None and text not in values:
        raise invalid_input()
    return text
