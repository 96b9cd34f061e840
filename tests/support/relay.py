"""A loopback port that leads to a Unix socket."""

from __future__ import annotations

import socket
import socketserver
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def relay(path: str) -> Iterator[int]:
    """Pass on what comes to a loopback port, and hold the port.

    Args:
        path: The Unix socket that it goes to.
    """

    class Handler(socketserver.BaseRequestHandler):
        @override
        def handle(self) -> None:
            with socket.socket(socket.AF_UNIX) as there:
                there.connect(path)
                back = threading.Thread(target=_pass_on, args=(there, self.request))
                back.start()
                _pass_on(self.request, there)
                back.join()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    """Copy until the source ends, and then end the sink."""
    try:
        while data := source.recv(65_536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:  # one of the two has gone
        sink.close()
