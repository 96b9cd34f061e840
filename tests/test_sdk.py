"""The SDK's own tests of a tap, over all streams."""

from __future__ import annotations

import pytest
from singer_sdk.testing import SuiteConfig, get_tap_test_class

from simulator import Options, Simulator, World
from tap_amazon_business.api.operations import OPERATIONS
from tap_amazon_business.tap import TapAmazonBusiness

# The class below asks the tap for its streams while this module is imported, and keeps the
# configuration: so the simulator runs from here on, in a thread that ends with the process.
_SERVING = Simulator(World(orders=120, span_days=100), Options(limits=False)).__enter__()

# Records of some months lack some of the optional fields, which the SDK warns of.
TestTapAmazonBusiness = pytest.mark.filterwarnings("ignore:Fields in transformed catalog")(
    get_tap_test_class(
        TapAmazonBusiness,
        config=_SERVING.config(
            rate_limits={name: {"rate": 1000, "burst": 1000} for name in OPERATIONS}
        ),
        suite_config=SuiteConfig(max_records_limit=1000),
        parse_env_config=False,
    )
)
