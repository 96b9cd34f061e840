"""A book of what came out, held against what should have, line by line."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tests.soak.truth import STREAMS, Key, dates, truth
from tests.soak.values import differences

if TYPE_CHECKING:
    from collections.abc import Iterable

    from simulator import Simulator

Rows = dict[str, dict[Key, dict[str, Any]]]


class Ledger:
    """The union of what some syncs brought.

    Args:
        serving: The simulator.
        named_only: Whether order reports that name another number than their own may be missing.
        refused: Purchase order numbers that are refused for ever: their reports may be missing.
    """

    def __init__(
        self, serving: Simulator, *, named_only: bool, refused: frozenset[str] = frozenset()
    ) -> None:
        self._serving = serving
        self._named_only = named_only
        self._refused = refused
        self._records: Rows = {name: {} for name in STREAMS}
        self._bookmarks: dict[str, datetime] = {}
        self._dues: dict[str, list[tuple[datetime, Key]]] = {}
        self.problems: list[str] = []
        self.repeated: Counter[str] = Counter()
        self.compared = 0

    @property
    def keys(self) -> dict[str, set[Key]]:
        """Return the keys that came, by stream."""
        return {name: set(records) for name, records in self._records.items()}

    def begin(self) -> None:
        """Take note of what there is before a sync: the bookmark may not pass any of it."""
        self._seen: defaultdict[str, set[Key]] = defaultdict(set)
        rows = truth(self._serving, named_only=self._named_only)
        if self._serving.options.no_shipments:
            rows["vendor_shipments"] = rows["vendor_shipment_items"] = {}
        for name in (name for name, feature in STREAMS.items() if not feature.late):
            date = dates(self._serving.world, name)
            dues = ((date(key), key) for key in rows[name])
            self._dues[name] = sorted(due for due in dues if due[1] not in self._records[name])

    def read(self, messages: Iterable[dict[str, Any]]) -> None:
        """Enter the messages of a sync that `begin` was called for."""
        for message in messages:
            if message["type"] == "RECORD":
                self._record(message["stream"], message["record"])
            elif message["type"] == "STATE":
                self._state(message["value"])

    def settle(self) -> list[str]:
        """Return what is missing, what is too much and what differs, now that all is read."""
        expected = truth(self._serving, named_only=self._named_only)
        if self._serving.options.no_shipments:
            del expected["vendor_shipments"], expected["vendor_shipment_items"]
        whole = truth(self._serving, named_only=False)
        found: list[str] = []
        for name, rows in expected.items():
            records = self._records[name]
            found += [
                f"lost: {name} {key}"
                for key in rows
                if key not in records and not (name == "order_reports" and key[0] in self._refused)
            ]
            found += [f"unknown: {name} {key}" for key in records if key not in whole[name]]
            for key in rows.keys() & records.keys():
                self.compared += 1
                row = rows[key]
                if name == "order_reports" and str(row.get("purchaseOrderNumber")) != key[0]:
                    row = {**row, "reportedPurchaseOrderNumber": row.get("purchaseOrderNumber")}
                    row["purchaseOrderNumber"] = key[0]
                found += [
                    f"differs: {name} {key} {path}" for path in differences(row, records[key])
                ]
        return found

    def _record(self, stream: str, record: dict[str, Any]) -> None:
        key = tuple(str(record[name]) for name in STREAMS[stream].key)
        self.repeated[stream] += key in self._seen[stream]
        self._seen[stream].add(key)
        self._records[stream][key] = record

    def _state(self, state: dict[str, Any]) -> None:
        for name, bookmark in state.get("bookmarks", {}).items():
            text = bookmark.get("replication_key_value")
            if text is None:
                continue
            moment = datetime.fromisoformat(text)
            before = self._bookmarks.get(name)
            if before is not None and moment < before:
                self.problems.append(f"back: the bookmark of {name} from {before} to {moment}")
            if moment != before:
                self._bookmarks[name] = moment
                self._check(name, moment, set(bookmark.get("refused_numbers", ())))

    def _check(self, bookmark: str, moment: datetime, refused: set[str]) -> None:
        """Find rows that a bookmark has passed without their having come.

        Reports of refused numbers come later: the state holds these numbers.
        """
        for name, feature in STREAMS.items():
            # By date, order reports come as `orders` lists them.
            listed = name == "order_reports" and self._named_only
            if ("orders" if listed else feature.bookmark) != bookmark:
                continue
            dues, passed = self._dues.get(name, []), 0
            for date, key in dues:
                if date >= moment:
                    break
                passed += 1
                if key not in self._records[name] and key[0] not in refused | self._refused:
                    self.problems.append(f"lost: {name} {key} of {date}, passed by {moment}")
            del dues[:passed]
