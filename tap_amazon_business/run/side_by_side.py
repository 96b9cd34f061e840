"""Runs streams in parallel: a thread for each, one of which writes at a time."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from queue import SimpleQueue

from tap_amazon_business.streams.base import AmazonStream
from tap_amazon_business.sync.prefetch import WriteLock


def side_by_side(streams: Sequence[AmazonStream], lock: WriteLock) -> None:
    """Sync all streams in parallel, until the last one has ended.

    Each operation has a bucket of its own, so together they take as long as the slowest one. A
    stream that fails says so by itself, and leaves the others alone.

    The threads are daemons: neither a signal nor an error waits for them.

    Raises:
        BaseException: What a thread raised; no other thread writes after it.
    """
    ended: SimpleQueue[BaseException | None] = SimpleQueue()

    def sync(stream: AmazonStream) -> None:
        failure: BaseException | None = None
        try:
            lock.acquire()
            stream.sync()
            stream.flush_bookmark()
            stream.finalize_state_progress_markers()
        except BaseException as error:  # noqa: BLE001 (raised again below)
            failure = error  # and keep the lock: nothing may be written after it
        else:
            lock.release()
        try:
            stream.done()
        finally:
            ended.put(failure)

    for stream in streams:
        stream.prepare()
    for stream in streams:
        threading.Thread(target=sync, args=[stream], name=stream.name, daemon=True).start()
    for _ in streams:
        if error := ended.get():
            raise error
