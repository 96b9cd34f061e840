"""The tap: settings, one client per credential set, streams; every deviation from the SDK's tap."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Sequence
from types import FrameType
from typing import Any, ClassVar, cast

import click
from singer_sdk.exceptions import MappingError
from singer_sdk.helpers.capabilities import CapabilitiesEnum, PluginCapabilities, TapCapabilities
from typing_extensions import override

from tap_amazon_business import settings as tap_settings
from tap_amazon_business.api.auth import Credentials, LoginWithAmazon
from tap_amazon_business.api.client import Api, Client
from tap_amazon_business.api.limits import Limiter
from tap_amazon_business.api.retry import Health, Outage, Retrier
from tap_amazon_business.api.sandbox import SandboxClient
from tap_amazon_business.api.transport import Transport
from tap_amazon_business.cli import CommandLine
from tap_amazon_business.clock import BoundedClock, Clock
from tap_amazon_business.connection_check import ConnectionCheck
from tap_amazon_business.errors import TapError
from tap_amazon_business.redaction import redact_log_record
from tap_amazon_business.run.progress import Summary, log_progress
from tap_amazon_business.run.side_by_side import side_by_side
from tap_amazon_business.settings import BUSINESS_API, SP_API, Settings
from tap_amazon_business.streams.base import AmazonStream, Shared
from tap_amazon_business.streams.business import BUSINESS_STREAMS
from tap_amazon_business.streams.invoices import INVOICE_STREAMS
from tap_amazon_business.streams.order_reports import order_reports_stream
from tap_amazon_business.streams.vendor import VENDOR_STREAMS
from tap_amazon_business.sync.prefetch import ReadBudget, WriteLock
from tap_amazon_business.validation import problems
from tap_amazon_business.writer import Writer

# Seconds that a line which is being written has to be completed after a signal.
_SHUTDOWN_GRACE = 0.7

# How many streams read one API in parallel.
_MOST_STREAMS = 8
_REGION_SETTINGS = {SP_API: "sp_api_region", BUSINESS_API: "business_api_regions"}

# What the SDK logs in every run, and no reader needs.
_SDK_NOISE = frozenset(
    {
        "Parsing env var for settings config...",
        "Skipping parse of env var settings...",
        "Added '%s' as child stream to '%s'",
    }
)


class TapAmazonBusiness(CommandLine):
    """Vendor purchase orders (Selling Partner API) and Amazon Business order reports."""

    name = "tap-amazon-business"
    message_writer_class = Writer
    config_jsonschema: ClassVar[dict[str, Any]] = tap_settings.SCHEMA
    # Without ACTIVATE_VERSION: it makes targets delete the rows that a sync did not emit, which are
    # all that did not change.
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
        self._clock = BoundedClock(clock or Clock())
        self._outage = Outage(self._clock)
        self._failures: dict[str, TapError] = {}
        self._lock = WriteLock()
        # At level DEBUG it logs paths with purchase order numbers, and buyers type anything there.
        logging.getLogger("urllib3.connectionpool").addFilter(redact_log_record)
        self.logger.addFilter(_is_no_noise)
        super().__init__(**kwargs)
        self.warn_of_unknown_variables()

    @override
    def setup_mapper(self) -> None:
        # The SDK's errors are tracebacks.
        try:
            super().setup_mapper()
        except MappingError as error:
            raise TapError(f"stream_maps cannot be used: {error}") from error

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        self.append_builtin_config(self.config_jsonschema)
        errors = problems(self._config, self.config_jsonschema, self._clock.now())
        if errors and raise_errors:
            # The SDK's own exception prints the schema of all settings, which hides the message
            # under `meltano config test`, and a traceback under --test.
            raise TapError("\n".join(errors))
        # The SDK fails with a traceback on an empty text where it expects an object.
        given = tap_settings.given(self._config)
        self._config.clear()
        self._config.update(given)
        return errors

    # ---- streams -------------------------------------------------------------------------------

    @override
    def discover_streams(self) -> Sequence[AmazonStream]:
        """Return the streams of the credential sets that are set; without any, all streams."""
        usable = not self._validate_config(raise_errors=False)
        settings = Settings.from_config(self._config if usable else {}, self.plugin_version)
        business = [*BUSINESS_STREAMS, *INVOICE_STREAMS]
        if reports := order_reports_stream(settings):
            business.append(reports)
        else:
            self.logger.warning(
                "order_reports with the strategy purchase_order needs purchase orders: set "
                "sp_api_client_id, sp_api_client_secret and sp_api_refresh_token, or "
                "purchase_order_numbers, or another order_reports_strategy"
            )
        neither = settings.sp_api is None and settings.business_api is None
        shared = Shared(
            settings=settings,
            clock=self._clock,
            # No sync can resume after Amazon's examples.
            keeps_state=not settings.sandbox,
            on_failure=self._fail,
            flush=self._writer.flush,
        )
        client = SandboxClient if settings.sandbox else Client
        streams: list[AmazonStream] = []
        for prefix, url, credentials, kinds in (
            (SP_API, settings.sp_api_url, settings.sp_api, VENDOR_STREAMS),
            (BUSINESS_API, settings.business_api_url, settings.business_api, business),
        ):
            if credentials or neither:
                api = self._api(settings, url, credentials or Credentials.none(prefix))
                budget = ReadBudget(settings.max_parallel_requests, self._lock)
                streams += [
                    kind(self, client=client(api), budget=budget, shared=shared) for kind in kinds
                ]
        return streams

    def _api(self, settings: Settings, url: str, credentials: Credentials) -> Api:
        """Return the API of one credential set."""
        transport = Transport(
            user_agent=settings.user_agent,
            connections=settings.max_parallel_requests * _MOST_STREAMS,
            request_timeout=settings.request_timeout,
        )
        logger = self.logger.getChild(credentials.prefix)
        retrier = Retrier(self._outage, self._clock, logger)
        return Api(
            url=url.rstrip("/"),
            prefix=credentials.prefix,
            region_setting=_REGION_SETTINGS[credentials.prefix],
            authenticator=LoginWithAmazon(
                credentials,
                lwa_url=settings.lwa_url,
                transport=transport,
                retrier=retrier,
                clock=self._clock,
            ),
            limiter=Limiter(settings.rate_limits, self._clock),
            transport=transport,
            most=settings.max_parallel_requests,
            health=Health(credentials.prefix, self._outage),
            retrier=retrier,
        )

    def _fail(self, stream: str, error: TapError) -> None:
        """Record and log a stream's failure; a common cause is logged in full only once.

        A stream of two parents may fail twice, each time for a reason of its own.
        """
        known = any(error.same_as(other) for other in self._failures.values())
        if known and stream in self._failures:
            return
        self._failures.setdefault(stream, error)
        self.logger.error(
            "%s: %s", stream, "failed for the same reason" if known else error.message
        )

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        # The SDK writes the state here, perhaps within another message, and exits with status 0, as
        # if the sync were complete. Every finished slice has its STATE message already.
        self.logger.warning("Stopped by signal %d: the sync is incomplete", signum)
        # A thread that writes may complete its line; a loader that reads no more is not waited for.
        if self._lock.acquire(timeout=_SHUTDOWN_GRACE):
            self._writer.stop(128 + signum)
        os._exit(128 + signum)

    @property
    def _writer(self) -> Writer:
        """Return the writer, which the SDK creates from `message_writer_class` without a type."""
        return cast("Writer", self.message_writer)

    @override  # type: ignore[misc]
    def sync_all(self) -> None:
        """Sync all streams side by side, and raise an error at the end if any failed.

        The SDK declares this final, and syncs one stream after the other.

        Raises:
            TapError: At least one stream failed; the others are complete and bookmarked. Or the
                output cannot be written.
        """
        # Imported modules live as long as the process, and rows have no cycles. Without this, the
        # garbage collector visits them again and again, which took a third of the time.
        gc.freeze()
        gc.set_threshold(100_000, 50, 100)
        self._reset_state_progress_markers()
        self._set_compatible_replication_methods()
        streams = [stream for stream in self.streams.values() if isinstance(stream, AmazonStream)]
        streams = [stream for stream in streams if stream.selected or stream.is_due]
        summary = Summary(streams, self.state)
        if self.config.get("sandbox"):
            self.logger.warning(
                "The sandbox returns Amazon's examples, not data of this account; there is no STATE"
            )
        try:
            if self.state:
                self._state_writer.write_state(self.state)
            with log_progress(streams, self._clock, self.logger):
                side_by_side([stream for stream in streams if stream.is_due], self._lock)
        except BrokenPipeError as error:
            self._writer.abandon()
            raise TapError(
                "The loader has ended: nothing reads the tap's output any more. The loader's log "
                "says why. The next sync resumes at the last state that the loader stored."
            ) from error
        except OSError as error:
            # Requests have errors of their own, so this is standard output or a BATCH file.
            self._writer.abandon()
            raise TapError(
                f"Cannot write the tap's output: {error.strerror or type(error).__name__}. Make "
                "room where it goes (standard output, or the files of batch_config). The next sync "
                "resumes at the last state that the loader stored."
            ) from error
        finally:
            summary.log(self.logger)
        self._raise_failures(streams)

    @override  # type: ignore[misc]
    def run_connection_test(self) -> bool:
        """Call each operation once (`--test`), and print the results.

        The SDK declares this final. It syncs a record of each stream, one stream after the other:
        minutes if something is wrong, with the reason lost among records and tracebacks.

        Returns:
            Whether all is ok.
        """
        streams = [
            stream
            for stream in self.streams.values()
            if isinstance(stream, AmazonStream) and (stream.selected or stream.is_due)
        ]
        settings = Settings.from_config(self._config, self.plugin_version)
        return ConnectionCheck(settings, streams, clock=self._clock, report=click.echo).run()

    def _raise_failures(self, streams: Sequence[AmazonStream]) -> None:
        """Raise an error if a stream failed.

        Raises:
            TapError: At least one stream failed. It names the first cause, as some programs show
                only the last error; what to do about it is in that stream's own line.
        """
        if self._failures:
            first = next(iter(self._failures.values()))
            unfailed = [stream for stream in streams if not stream.failed]
            cut_off = [stream.name for stream in unfailed if not stream.progress.has_ended]
            raise TapError(
                f"The sync is incomplete. Failed: {', '.join(sorted(self._failures))} (see the "
                "errors above). "
                + (
                    f"Also incomplete, because they depend on these: {', '.join(cut_off)}. "
                    if cut_off
                    else ""
                )
                + (
                    "The other streams are complete and bookmarked; the next sync of the failed "
                    "ones resumes at their bookmarks. "
                    if len(unfailed) > len(cut_off)
                    else "The next sync resumes at their bookmarks. "
                )
                + f"The first error was: {first.message.partition('. ')[0].removesuffix('.')}."
            )


def _is_no_noise(record: logging.LogRecord) -> bool:
    return record.msg not in _SDK_NOISE
