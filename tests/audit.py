"""pip-audit, also for a mirror of the package index that tells of newest releases only.

`make audit` runs it over all that is pinned. What could not be audited is listed with the reason.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from pip_audit import _cli
from pip_audit._service import PyPIService

if TYPE_CHECKING:
    import requests

_RELEASE = re.compile(r"(?P<project>.+/[^/]+)/(?P<version>[^/]+)/json")


class Index(PyPIService):  # type: ignore[misc] # (it is in an environment of its own)
    """The index's advisories of a release: from the release's page, or else its project's."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.session.hooks["response"].append(self._or_newest)

    def _or_newest(self, response: requests.Response, **_: Any) -> requests.Response:
        release = _RELEASE.fullmatch(response.url)
        if response.status_code != 404 or release is None:
            return response
        project: requests.Response = self.session.get(f"{release['project']}/json")
        newest = project.ok and project.json()["info"]["version"] == release["version"]
        return project if newest else response


if __name__ == "__main__":
    _cli.PyPIService = Index
    _cli.audit()
