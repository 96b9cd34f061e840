"""Two accounts, and Meltano as the example sets it up for them."""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from simulator import Options, Plan, Simulator, World, published_plans
from tests.examples.warehouse import EXAMPLES
from tests.support.chain import PROJECT, Chain, settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Amazon's plans would make these tests minutes long; the tap follows what the simulator announces.
# The buckets are deeper than the tap knows: on a busy machine, requests arrive in clusters.
QUICK = Options(rates={name: Plan(rate=100, burst=50) for name in published_plans()})
ORDERS = {"na": 30, "eu": 20}


@pytest.fixture
def accounts() -> Iterator[dict[str, Simulator]]:
    """Serve two accounts, some of whose purchase orders have the same numbers."""
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(Simulator(World(orders=orders, seed=orders), QUICK))
            for name, orders in ORDERS.items()
        }


@pytest.fixture(scope="module")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the plugins of the example, and return their folder."""
    folder = tmp_path_factory.mktemp("plugins")
    shutil.copy(EXAMPLES / "accounts/meltano.yml", folder)
    # The example names the tap as it is released; here it is this checkout.
    override = folder / "overrides.txt"
    override.write_text(f"tap-amazon-business @ {PROJECT.as_uri()}\n", encoding="utf-8")
    environment = {
        "PATH": f"{PROJECT / '.tools/uv/bin'}:{os.environ['PATH']}",
        "UV_OVERRIDE": str(override),
    }
    _chain(folder, environment, folder).run("install")
    return folder / ".meltano"


@pytest.fixture
def project(tmp_path: Path, plugins: Path) -> Path:
    """Return a project with an unaltered copy of the example's meltano.yml."""
    project = tmp_path / "accounts"
    (project / ".meltano").mkdir(parents=True)
    shutil.copy(EXAMPLES / "accounts/meltano.yml", project)
    for kind in ("extractors", "loaders"):
        (project / ".meltano" / kind).symlink_to(plugins / kind, target_is_directory=True)
    return project


@pytest.fixture
def chain(tmp_path: Path, accounts: dict[str, Simulator], project: Path) -> Chain:
    """Return Meltano with the credentials of both accounts."""
    environment: dict[str, str] = {}
    for account, simulator in accounts.items():
        config = simulator.config(order_reports_strategy="purchase_order")
        environment |= settings(config, f"TAP_AMAZON_BUSINESS__{account.upper()}")
    return _chain(tmp_path, environment, project)


def _chain(folder: Path, environment: dict[str, str], project: Path) -> Chain:
    chain = Chain(folder, {}, environment, project=project, name="prod")
    chain.environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return chain
