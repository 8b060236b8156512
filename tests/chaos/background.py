"""A loop in a thread of its own, for what the suite itself serves while its main thread strikes and tends."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any, TypeVar

T = TypeVar("T")

PATIENCE = 30.0


class Background:
    """The loop; its methods are called from outside."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def run(self, doing: Coroutine[Any, Any, T]) -> T:
        """What a coroutine gives."""
        return asyncio.run_coroutine_threadsafe(doing, self._loop).result(PATIENCE)

    def call(self, doing: Callable[[], None]) -> None:
        """Do something there."""

        async def do() -> None:
            doing()

        self.run(do())

    @contextmanager
    def inside(self, manager: AbstractAsyncContextManager[T]) -> Iterator[T]:
        """Be in an asynchronous context that lives there."""
        entered = self.run(manager.__aenter__())
        try:
            yield entered
        finally:
            self.run(manager.__aexit__(None, None, None))

    @contextmanager
    def running(self) -> Iterator["Background"]:
        """The loop runs in the block."""
        self._thread.start()
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(PATIENCE)


@asynccontextmanager
async def serving(protocol: Any, host: str = "127.0.0.1") -> AsyncIterator[int]:
    """A server that answers each connection with a new ``protocol()``; its port."""
    server = await asyncio.get_running_loop().create_server(protocol, host, 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
