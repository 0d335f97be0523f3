"""Serve a notebook on this machine only."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import threading
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cluster_sim.errors import ScenarioError

__all__ = ["HOST", "bound_socket", "make_server", "serve"]

HOST = "127.0.0.1"


def bound_socket(port: int) -> socket.socket:
    """Return a socket on this machine's own address.

    Parameters
    ----------
    port : int
        0 for any that is free.

    Returns
    -------
    socket.socket
        Bound, not yet listening.

    Raises
    ------
    ScenarioError
        If the port cannot be had.
    """
    if not 0 <= port <= 65_535:
        raise ScenarioError(f"--port {port}: must be from 0 (any free one) to 65535")
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((HOST, port))
    except OSError as error:
        sock.close()
        reason = error.strerror or error
        raise ScenarioError(
            f"--port {port}: cannot be used ({reason}); leave it out to take a free one"
        ) from error
    return sock


def make_server(notebook: Path, when_started: Callable[[], None]) -> Any:
    """Return a web server for a notebook.

    Parameters
    ----------
    notebook : Path
        A marimo notebook.
    when_started : callable
        Called once the server listens.

    Returns
    -------
    uvicorn.Server
        Its `run` ends on Ctrl-C.
    """
    import marimo
    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets=sockets)
            # The notebooks have just put a handler of their own in place, which stops them alone.
            _on_interrupt(lambda: setattr(self, "should_exit", True))
            when_started()

    # The application alone: the marimo command would also look for a newer marimo on the network.
    builder = marimo.create_asgi_app(quiet=True).with_app(path="", root=str(notebook))
    config = uvicorn.Config(
        builder.build(),
        host=HOST,
        log_level="error",
        # Open pages hold a connection; they need not be waited for.
        timeout_graceful_shutdown=1,
    )
    return Server(config)


def _on_interrupt(stop: Callable[[], None]) -> None:
    """Let Ctrl-C call a function within the running event loop."""
    try:
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop)
    except (NotImplementedError, RuntimeError, ValueError):
        # Windows has no such handlers; elsewhere than in the main thread there is no Ctrl-C.
        with contextlib.suppress(ValueError):
            signal.signal(signal.SIGINT, lambda *_: stop())


def serve(notebook: Path, *, port: int, open_browser: bool, tell: Callable[[str], None]) -> None:
    """Serve a notebook until interrupted.

    Parameters
    ----------
    notebook : Path
    port : int
        0 for any that is free.
    open_browser : bool
        Open it in the user's browser.
    tell : callable
        Told the address, once the server listens.

    Raises
    ------
    ScenarioError
        If the port cannot be had.
    """
    with contextlib.closing(bound_socket(port)) as sock:
        address = f"http://{HOST}:{sock.getsockname()[1]}/"

        def when_started() -> None:
            tell(address)
            if open_browser:
                threading.Thread(target=webbrowser.open, args=[address], daemon=True).start()

        make_server(notebook, when_started).run(sockets=[sock])
