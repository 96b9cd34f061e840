"""How a stream lists the rows of a window."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tap_amazon_business.api.operations import Operation, Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_amazon_business.sync.windows import Window


@dataclass(frozen=True)
class Query:
    """One way to list the rows of a window, such as by creation date; a window may need several.

    Attributes:
        subject: What the query asks by, for messages.
        after: The parameter for the window's start.
        before: The parameter for the window's end.
        params: The other parameters.
        rereads: Whether the query is also needed for windows that were read before.
    """

    subject: str
    after: str
    before: str
    params: Mapping[str, str] = field(default_factory=dict)
    rereads: bool = True

    def request(self, operation: Operation, window: Window) -> Request:
        """Return the request for the first page of a window."""
        params = {self.after: window.after, self.before: window.before, **self.params}
        return Request(operation, params, f"{self.subject} {window}")
