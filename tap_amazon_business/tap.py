"""The tap: settings checked, one connection per credential set, streams listed."""

from __future__ import annotations

import gc
import logging
from typing import TYPE_CHECKING, Any, ClassVar, cast

from singer_sdk import Tap
from singer_sdk.helpers.capabilities import PluginCapabilities, TapCapabilities
from typing_extensions import override

from tap_amazon_business import settings as tap_settings
from tap_amazon_business.api.auth import Credentials, LoginWithAmazon
from tap_amazon_business.api.client import Client, new_session
from tap_amazon_business.api.limits import Limiter
from tap_amazon_business.clock import Clock, SystemClock
from tap_amazon_business.errors import TapError
from tap_amazon_business.redaction import redact_log_record
from tap_amazon_business.settings import BUSINESS_API, SP_API, Settings
from tap_amazon_business.streams.business import BUSINESS_STREAMS
from tap_amazon_business.streams.order_reports import order_reports_stream
from tap_amazon_business.streams.vendor import VENDOR_STREAMS
from tap_amazon_business.validation import problems
from tap_amazon_business.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from types import FrameType

    from singer_sdk import Stream
    from singer_sdk.helpers.capabilities import CapabilitiesEnum

    from tap_amazon_business.streams.base import AmazonStream

_SANDBOX_PAGES = 3


class TapAmazonBusiness(Tap):
    """Vendor purchase orders (Selling Partner API) and Amazon Business order reports."""

    name = "tap-amazon-business"
    message_writer_class = Writer
    config_jsonschema: ClassVar[dict[str, Any]] = tap_settings.SCHEMA
    # Without ACTIVATE_VERSION: it would have targets delete what a sync did not bring, which is
    # all that is unchanged.
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        TapCapabilities.CATALOG,
        TapCapabilities.STATE,
        TapCapabilities.DISCOVER,
        PluginCapabilities.ABOUT,
        PluginCapabilities.STREAM_MAPS,
        PluginCapabilities.FLATTENING,
        PluginCapabilities.BATCH,
        PluginCapabilities.STRUCTURED_LOGGING,
    ]

    def __init__(self, *, clock: Clock | None = None, **kwargs: Any) -> None:  # noqa: ANN401
        self._clock = clock or SystemClock()
        self._failures: dict[str, TapError] = {}
        # At level DEBUG it logs paths, and in these purchase order numbers, which may be anything.
        logging.getLogger("urllib3.connectionpool").addFilter(redact_log_record)
        super().__init__(**kwargs)

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        self.append_builtin_config(self.config_jsonschema)
        errors = problems(self._config, self.config_jsonschema, self._clock.now())
        if errors and raise_errors:
            # Of its own exception the SDK makes the schema of all settings, which is all that
            # `meltano config test` then shows, or under --test a traceback.
            raise TapError("\n".join(errors))
        return errors

    @override
    def load_state(self, state: dict[str, Any]) -> None:
        """Take over a state, once its shape was checked.

        Raises:
            TapError: It is none of Singer's.
        """
        bookmarks = state.get("bookmarks", {})
        if not isinstance(bookmarks, dict) or not all(
            isinstance(bookmark, dict) for bookmark in bookmarks.values()
        ):
            raise TapError(
                "The state is damaged: 'bookmarks' has to be an object of objects, one per stream. "
                "Correct it, or clear it to read everything again."
            )
        if bookmarks and not bookmarks.keys() & self.streams.keys():
            self.logger.warning(
                "The state is of other streams than this tap's (%s); everything is read again",
                ", ".join(sorted(map(str, bookmarks))),
            )
        super().load_state(state)

    @override
    def discover_streams(self) -> Sequence[AmazonStream]:
        """Return the streams of the credential sets that are set; without any, all streams."""
        usable = not self._validate_config(raise_errors=False)
        settings = Settings.from_config(self._config if usable else {}, self.plugin_version)
        neither = settings.sp_api is None and settings.business_api is None
        streams: list[AmazonStream] = []
        if settings.sp_api or neither:
            client = self._client(
                settings, settings.sp_api_url, settings.sp_api or Credentials.none(SP_API)
            )
            streams += [self._stream(kind, client, settings) for kind in VENDOR_STREAMS]
        if settings.business_api or neither:
            client = self._client(
                settings,
                settings.business_api_url,
                settings.business_api or Credentials.none(BUSINESS_API),
            )
            kinds = [*BUSINESS_STREAMS]
            if reports := order_reports_stream(settings):
                kinds.append(reports)
            else:
                self.logger.warning(
                    "order_reports by purchase order need purchase orders: set sp_api_client_id, "
                    "sp_api_client_secret and sp_api_refresh_token, or purchase_order_numbers, or "
                    "another order_reports_strategy"
                )
            streams += [self._stream(kind, client, settings) for kind in kinds]
        return streams

    def _client(self, settings: Settings, url: str, credentials: Credentials) -> Client:
        session = new_session(settings.user_agent, settings.max_parallel_requests)
        logger = self.logger.getChild(credentials.prefix)
        return Client(
            url,
            prefix=credentials.prefix,
            authenticator=LoginWithAmazon(
                credentials,
                lwa_url=settings.lwa_url,
                session=session,
                request_timeout=settings.request_timeout,
                clock=self._clock,
                logger=logger,
            ),
            limiter=Limiter(settings.rate_limits, self._clock),
            session=session,
            request_timeout=settings.request_timeout,
            # The sandbox returns examples whose page tokens lead nowhere, or in circles.
            max_pages=_SANDBOX_PAGES if settings.sandbox else None,
            clock=self._clock,
            logger=logger,
        )

    def _stream(self, kind: type[AmazonStream], client: Client, settings: Settings) -> AmazonStream:
        return kind(
            self,
            client=client,
            settings=settings,
            clock=self._clock,
            on_failure=self._fail,
            flush=self._writer.flush,
        )

    def _fail(self, stream: str, error: TapError) -> None:
        """Take note of a stream's failure, and say it, a common cause in full but once."""
        said = any(error is other for other in self._failures.values())
        self._failures[stream] = error
        self.logger.error("%s: %s", stream, "fails for the same reason" if said else error.message)

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        # The SDK writes the state here, which may be in the midst of another message, and ends with
        # status 0, as if the sync were complete. Here every finished slice has its state already.
        self.logger.warning("Stopped by signal %d: the sync is not complete", signum)
        self._writer.stop(128 + signum)

    @property
    def _writer(self) -> Writer:
        """Return what the SDK made of `message_writer_class`, and of no type."""
        return cast("Writer", self.message_writer)

    @override  # type: ignore[misc]
    def sync_all(self) -> None:
        """Sync all streams, and say at the end which of them failed.

        The SDK declares this final, but has no other door at the end of a sync.

        Raises:
            TapError: At least one stream failed; the others are complete and bookmarked.
        """
        # What was imported lives as long as the process: the collector need not look at it again
        # and again, which took a fifth of the time.
        gc.freeze()
        try:
            super().sync_all()
        except BrokenPipeError as error:
            self._writer.abandon()
            raise TapError(
                "Nobody reads the tap's output any more: the loader has ended. Its own log says "
                "why; the next sync begins where the last state that it stored stands."
            ) from error
        self._say_failures()

    @override  # type: ignore[misc]
    def run_sync_dry_run(
        self,
        dry_run_record_limit: int | None = 1,
        streams: Iterable[Stream] | None = None,
    ) -> bool:
        """Try all streams (`--test`).

        The SDK declares this final, and takes a stream whose failure was kept for a good one.

        Raises:
            TapError: At least one stream failed.
        """
        super().run_sync_dry_run(dry_run_record_limit, streams)
        self._say_failures()
        return True

    def _say_failures(self) -> None:
        """End the run where a stream failed, with the first cause, which may be all that is shown.

        Raises:
            TapError: At least one stream failed.
        """
        if self._failures:
            first = next(iter(self._failures.values()))
            raise TapError(
                f"The sync is not complete. Failed: {', '.join(sorted(self._failures))} (see the "
                "errors above). What the other streams read is out and bookmarked; the next sync "
                "of the failed ones begins where their bookmarks stand. The first error was: "
                f"{first.message}"
            )
