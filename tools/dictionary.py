"""Writes docs/data-dictionary.md, and the README's table of streams: `make dictionary`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tap_amazon_business.records.personal import personal_paths
from tap_amazon_business.records.shaping import DECIMAL_FORMAT
from tap_amazon_business.streams.base import AmazonStream
from tap_amazon_business.streams.vendor import VENDOR_STREAMS
from tap_amazon_business.tap import TapAmazonBusiness
from tools import PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from singer_sdk import Stream

    from tap_amazon_business.api.operations import Operation

PAGE = PROJECT / "docs" / "data-dictionary.md"
README = PROJECT / "README.md"

_TABLE = "| stream | operation | key | replication key | rate, burst |\n|---|---|---|---|---|\n"

# A number that Amazon's operations write with or without leading zeros.
_ITEM = "purchaseOrderNumber, itemSequenceNumber (without leading zeros)"

# From, how many to how many, to, field or path in both, or in the second one where they differ; in
# brackets, what to do to both first.
JOINS = (
    ("purchase_orders", "||--o{", "purchase_order_items", "purchaseOrderNumber"),
    ("purchase_orders", "||--o|", "purchase_order_statuses", "purchaseOrderNumber"),
    (
        "purchase_order_statuses",
        "||--o{",
        "purchase_order_status_items",
        "purchaseOrderNumber",
    ),
    ("purchase_order_items", "|o--o|", "purchase_order_status_items", _ITEM),
    (
        "purchase_orders",
        "|o--o{",
        "order_reports",
        "purchaseOrderNumber (trimmed, in upper case)",
    ),
    (
        "purchase_orders",
        "}o--o{",
        "vendor_shipments",
        "purchaseOrderNumber = purchaseOrders[].purchaseOrderNumber",
    ),
    ("vendor_shipments", "||--o{", "vendor_shipment_items", "vendorShipmentIdentifier"),
    ("purchase_orders", "||--o{", "vendor_shipment_items", "purchaseOrderNumber"),
    ("purchase_order_items", "|o--o{", "vendor_shipment_items", _ITEM),
    ("purchase_order_status_items", "|o--o{", "vendor_shipment_items", _ITEM),
    ("orders", "||--o{", "order_reports", "orderId"),
    ("orders", "||--o{", "order_line_items", "orderId"),
    ("orders", "||--o{", "shipments", "orderId"),
    ("order_line_items", "||--o{", "shipment_line_items", "orderId, orderLineItemId"),
    ("shipments", "||--o{", "shipment_line_items", "orderId, shipmentId"),
    ("orders", "}o--o{", "transactions", "orderId = transactionLineItems[].orderId"),
    ("transactions", "}o--o{", "invoices", "invoiceNumber"),
    ("order_line_items", "||--o{", "invoices", "orderId, orderLineItemId"),
    ("invoices", "}o--o|", "invoice_payments", "invoiceNumber = invoiceId"),
)

# One row per, and what for. Items are in the rows of their parents, too, as an array.
USES = {
    "purchase_orders": ("purchase order", "what Amazon orders from you, with its state"),
    "purchase_order_items": ("purchase order and item", "the same items, one row each"),
    "purchase_order_statuses": ("purchase order", "the status, and when it changed last"),
    "purchase_order_status_items": (
        "purchase order and item",
        "what was confirmed, cancelled and received, in eaches",
    ),
    "vendor_shipments": ("shipment", "what you announced to Amazon, and when it left"),
    "vendor_shipment_items": (
        "shipment, purchase order and item",
        "how much of an item was shipped",
    ),
    "orders": ("order", "what your company bought; sum amounts here"),
    "order_reports": (
        "purchase order number and order",
        "which orders name a purchase order number; an order may be in several rows",
    ),
    "order_line_items": ("order and line", "product, seller, quantity and price"),
    "shipments": ("order and shipment", "status, address and delivery"),
    "shipment_line_items": ("order, shipment and line", "what was shipped and received"),
    "transactions": ("transaction", "charges and refunds, with their lines in an array"),
    "invoices": (
        "order, line, shipment and invoice",
        "which invoice an order line is on; not selected by default",
    ),
    "invoice_payments": (
        "invoice, or consolidated invoice",
        "due date and payment status; not selected by default",
    ),
}

_HEAD = """# Data dictionary

Every stream and every field. `make dictionary` generates this page from the catalog.

- A path with a dot is a field within an object; `[]` stands for each element of an array.
- Every field except the keys may be null.
- A *decimal* is a string with exactly Amazon's digits. A *date-time* is in UTC and ends in `Z`.
- [warehouses.md](warehouses.md) shows the column types in each warehouse. A nested field is part of
  the JSON in the column of its outermost field.
- Values that a description lists are those that Amazon documents. Others occur.

## Which stream?

Item streams repeat the arrays of their parents: use one or the other.

{uses}

## rescuedData

Amazon adds fields without notice, and sends values of other types than documented. The tap drops
neither. Every stream has the field `rescuedData`: a JSON object from path to value, such as
`{{"items[0].netCost.margin": "0.31"}}`, null in ordinary rows. It contains

- fields that the schema does not know, with the value as Amazon sent it;
- values that do not fit their type, such as a text where a number is documented. The field itself
  is null then. Empty texts and empty dates become null and are not rescued.

One warning per stream and sync names the first ten paths. Once a version of the tap has the field
in its schema, the lookback is written again with it.

## Keys and joins

Each box shows the key and the bookmark of a stream. A line is a join, with the fields that have to
be equal; in brackets, how to compare them.
"""


def joined_fields(label: str) -> tuple[list[str], list[str]]:
    """Return the paths of a join, in its first stream and in its second."""
    first, _, second = re.sub(r" \(.*?\)", "", label).partition(" = ")
    return first.split(", "), (second or first).split(", ")


def page() -> str:
    """Return the whole page."""
    streams = TapAmazonBusiness(config={}, validate_config=False).streams
    head = _HEAD.format(uses="\n".join(_uses(streams)))
    parts = [head, *_diagram(streams), *_personal(streams), "## Streams\n"]
    for name in sorted(streams):
        parts += _section(streams[name], streams)
    return "\n".join(parts)


def with_table(readme: str) -> str:
    """Return the README with the table of streams as the code has it."""
    streams = TapAmazonBusiness(config={}, validate_config=False).streams
    before, _, rest = readme.partition(_TABLE)
    after = rest.partition("\n\n")[2]
    rows = "\n".join(_row(streams[name], streams) for name in _in_order(streams))
    return f"{before}{_TABLE}{rows}\n\n{after}"


def _in_order(streams: Mapping[str, Stream]) -> list[str]:
    return [*USES, *sorted(streams.keys() - USES.keys())]


def _row(stream: Stream, streams: Mapping[str, Stream]) -> str:
    operation: Operation | None = getattr(stream, "operation", None)
    parents = " or ".join(f"`{parent}`" for parent in _parents(stream, streams))
    asked = operation.name if operation else f"none: the items of {parents}"
    plan = operation.plan if operation else None
    cells = (
        f"`{stream.name}`",
        asked if stream.selected_by_default else f"{asked}; not selected by default",
        ", ".join(f"`{key}`" for key in stream.primary_keys),
        f"of {parents}" if parents else f"`{stream.replication_key}`",
        f"{plan.rate:g}/s, {plan.burst}" if plan else "",
    )
    return f"| {' | '.join(cells)} |".replace("|  |", "| |")


def paths(schema: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each field of a schema with its path, at any depth."""
    for name, field in schema.get("properties", {}).items():
        yield above + name, field
        array = "items" in field
        yield from paths(
            field["items"] if array else field, f"{above}{name}{'[].' if array else '.'}"
        )


def _uses(streams: Mapping[str, Stream]) -> Iterator[str]:
    yield "| stream | side | one row per | use it for |\n|---|---|---|---|"
    for name in _in_order(streams):
        stream = streams[name]
        row, use = USES.get(name, (", ".join(stream.primary_keys), _summary(stream)))
        side = "vendor" if isinstance(stream, tuple(VENDOR_STREAMS)) else "business"
        yield f"| [`{name}`](#{name}) | {side} | {row} | {use} |"


def _diagram(streams: Mapping[str, Stream]) -> Iterator[str]:
    yield "```mermaid\nerDiagram"
    for first, many, second, label in JOINS:
        yield f'  {first} {many} {second} : "{label}"'
    for name in sorted(streams):
        stream = streams[name]
        keys = list(stream.primary_keys)
        yield f"  {name} {{"
        for key in keys:
            yield f"    {_kind(stream.schema['properties'][key])} {key} PK"
        if stream.replication_key and stream.replication_key not in keys:
            yield f'    date-time {stream.replication_key} "bookmark"'
        yield "  }"
    yield "```\n"


def _personal(streams: Mapping[str, Stream]) -> Iterator[str]:
    yield "## Personal data\n"
    yield "The setting `personal_data` hashes or drops them: [how](personal-data.md).\n"
    yield "| stream | fields |\n|---|---|"
    for name in sorted(streams):
        found = [".".join(path) for path in personal_paths(streams[name].schema)]
        if found:
            yield f"| `{name}` | {', '.join(f'`{path}`' for path in found)} |"
    yield ""


def _section(stream: Stream, streams: Mapping[str, Stream]) -> Iterator[str]:
    yield f"### {stream.name}\n"
    yield f"{_summary(stream)}\n"
    operation = getattr(stream, "operation", None)
    if operation:
        yield f"- Operation: `{operation.name}`"
    yield f"- Key: {', '.join(f'`{key}`' for key in stream.primary_keys)}"
    if parents := _parents(stream, streams):
        yield f"- Bookmark: with its parent, {' or '.join(f'`{parent}`' for parent in parents)}\n"
    else:
        yield f"- Bookmark: `{stream.replication_key}`\n"
    yield "| field | type | description |\n|---|---|---|"
    for path, field in paths(stream.schema):
        yield f"| `{path}` | {_kind(field)} | {field['description'].replace('|', '&#124;')} |"
    yield ""


def _summary(stream: Stream) -> str:
    return (type(stream).__doc__ or "").splitlines()[0]


def _parents(stream: Stream, streams: Mapping[str, Stream]) -> list[str]:
    """Return the streams from whose rows a stream is derived."""
    return [
        name
        for name, parent in sorted(streams.items())
        if isinstance(stream, AmazonStream)
        and isinstance(parent, AmazonStream)
        and stream.child_of(parent)
    ]


def _kind(field: Mapping[str, Any]) -> str:
    kinds = field["type"] if isinstance(field["type"], list) else [field["type"]]
    (kind,) = (kind for kind in kinds if kind != "null")
    if kind == "array":
        return f"array of {_kind(field['items'])}s"
    if kind == "object" and "properties" not in field:
        return "object of any keys"
    return {DECIMAL_FORMAT: "decimal", "date-time": "date-time"}.get(
        field.get("format", ""), str(kind)
    )


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    README.write_text(with_table(README.read_text(encoding="utf-8")), encoding="utf-8")
