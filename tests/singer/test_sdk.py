"""The SDK's own tests of a tap, over all streams."""

from __future__ import annotations

import pytest
from singer_sdk.testing import SuiteConfig, get_tap_test_class

from tests.support.runs import TapAmazonBusiness, select
from tests.support.serving import STREAMS, serve, settings

# The class below asks the tap for its streams while this module is imported, and keeps the
# configuration: so the simulator runs from here on, in a thread that ends with the process.
_SERVING = serve(orders=60, span_days=100).__enter__()

# Records of some months lack some of the optional fields, which the SDK warns of.
TestTapAmazonBusiness = pytest.mark.filterwarnings("ignore:Fields in transformed catalog")(
    get_tap_test_class(
        TapAmazonBusiness,
        config=settings(_SERVING, order_reports_strategy="auto"),
        suite_config=SuiteConfig(max_records_limit=1000),
        parse_env_config=False,
        catalog=select(*STREAMS),
    )
)
