"""A book of what came out, held against what should have, line by line."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tests.soak.truth import STREAMS, Key, Rows, dates, listed_reports, truth
from tests.soak.values import differences

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from simulator import Simulator


class Ledger:
    """The union of what some syncs brought.

    Args:
        serving: The simulator.
        listed: Whether order reports come from the lists, by the number that they name.
        streams: The selected streams.
        refused: Purchase order numbers that are refused for ever: their reports may be missing.
        delayed: Numbers that were refused in between: a bookmark may pass their reports.

    Attributes:
        problems: What is wrong so far.
        repeated: By stream, the rows that a sync wrote twice, word for word.
        compared: How many rows were compared field by field.
    """

    def __init__(
        self,
        serving: Simulator,
        *,
        listed: bool,
        streams: Collection[str] = STREAMS,
        refused: frozenset[str] = frozenset(),
        delayed: Collection[str] = (),
    ) -> None:
        self._serving = serving
        self._listed = listed
        self._streams = streams
        self._refused = refused
        self._delayed = delayed
        self._records: dict[str, Rows] = {name: {} for name in streams}
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
        """Record what there is before a sync: the bookmark may not pass any of it.

        What has appeared behind a bookmark comes with the lookback.
        """
        self._seen: defaultdict[str, set[str]] = defaultdict(set)
        rows = self._truth()
        for name in (name for name in rows if not STREAMS[name].late):
            date = dates(self._serving.world, name, listed=self._listed)
            passed = self._bookmarks.get(self._bookmark_of(name))
            dues = ((date(key), key) for key in rows[name] if key not in self._records[name])
            self._dues[name] = sorted(due for due in dues if passed is None or due[0] >= passed)

    def read(self, messages: Iterable[dict[str, Any]]) -> None:
        """Enter the messages of a sync that `begin` was called for."""
        for message in messages:
            if message["type"] == "RECORD":
                self._record(message["stream"], message["record"])
            elif message["type"] == "STATE":
                self._state(message["value"])

    def settle(self) -> list[str]:
        """Return what is missing, what is too much and what differs, now that all is read."""
        whole = truth(self._serving, listed=False)
        # Where the lists are refused, the same sync asks by number.
        whole["order_reports"] |= listed_reports(whole["orders"])
        found: list[str] = []
        for name, rows in self._truth().items():
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

    def _truth(self) -> dict[str, Rows]:
        """Return the rows of the selected streams that must come."""
        hidden = {"vendor_shipments", "vendor_shipment_items"}
        shown = set(self._streams) - (hidden if self._serving.options.no_shipments else set())
        rows = truth(self._serving, listed=self._listed)
        return {name: found for name, found in rows.items() if name in shown}

    def _bookmark_of(self, stream: str) -> str:
        """Return the stream whose bookmark covers another one."""
        listed = stream == "order_reports" and self._listed
        return "orders" if listed else STREAMS[stream].bookmark

    def _record(self, stream: str, record: dict[str, Any]) -> None:
        text = json.dumps(record, default=str)
        self.repeated[stream] += text in self._seen[stream]
        self._seen[stream].add(text)
        key = tuple(str(record[name]) for name in STREAMS[stream].key)
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
                self._check(name, moment)

    def _check(self, bookmark: str, moment: datetime) -> None:
        """Find rows that a bookmark has passed without their having come."""
        for name, dues in self._dues.items():
            if self._bookmark_of(name) != bookmark:
                continue
            excused = {*self._refused, *self._delayed} if name == "order_reports" else set()
            passed = 0
            for date, key in dues:
                if date >= moment:
                    break
                passed += 1
                if key not in self._records[name] and key[0] not in excused:
                    self.problems.append(f"lost: {name} {key} of {date}, passed by {moment}")
            del dues[:passed]
