"""Addresses where nobody answers, or not as a client expects."""

from __future__ import annotations

import abc
import asyncio
import socket
import ssl
import subprocess
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Self

from aiohttp import web
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from simulator.faults import Serve


@contextmanager
def closed_port() -> Iterator[str]:
    """Hold a loopback address that refuses connections, so that nothing else takes it."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{holder.getsockname()[1]}"


class _Server(abc.ABC):
    """A server on a loopback port, in a thread, for as long as a block runs."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        # Closing a socket does not wake a thread that waits for it.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    @abc.abstractmethod
    def answer(self, connection: socket.socket) -> None:
        """Answer a connection."""

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self.answer(connection)


class TlsServer(_Server):
    """A TLS server with a self-signed certificate; no client that checks it gets an answer.

    Attributes:
        url: Where it listens.
        handshakes: How many connections it took.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.handshakes = 0
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(*_certificate(folder))
        self.url = f"https://{self.address}"

    @override
    def answer(self, connection: socket.socket) -> None:
        self.handshakes += 1
        with suppress(OSError):  # the client does not trust the certificate
            self._context.wrap_socket(connection, server_side=True).close()


class RefusingProxy(_Server):
    """A proxy that refuses every connection with a status.

    Attributes:
        address: Where it listens.
        asked: How many connections it refused.

    Args:
        status: The status and its words.
    """

    def __init__(self, status: str) -> None:
        super().__init__()
        self.asked = 0
        self._answer = f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()

    @override
    def answer(self, connection: socket.socket) -> None:
        self.asked += 1
        connection.recv(4096)
        connection.sendall(self._answer)


def _certificate(folder: Path) -> tuple[Path, Path]:
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-nodes", "-newkey", "ec"),
            *("-pkeyopt", "ec_paramgen_curve:prime256v1", "-days", "2"),
            *("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    return certificate, key


class Trickle:
    """The proper answer, a byte every tenth of a second: it would take minutes."""

    async def answer(self, request: web.BaseRequest, serve: Serve) -> web.StreamResponse:
        whole = await serve()
        body = whole.body if isinstance(whole, web.Response) else b""
        slow = web.StreamResponse(status=whole.status, headers=whole.headers)
        await slow.prepare(request)
        for byte in bytes(body) if isinstance(body, bytes) else b"":
            await slow.write(bytes([byte]))
            await asyncio.sleep(0.1)
        return slow
