"""Free ports on 127.0.0.1 that stay ours from the choice until the stack is gone."""

import random
import socket
from types import TracebackType
from typing import Self

# Below the range the kernel takes for outgoing connections (32768 and up), so that no client sits on a server's port.
LOWEST, HIGHEST = 15_000, 31_000


class Ports:
    """A context manager that hands out ports.

    A port is held by a bound socket that does not listen. SO_REUSEADDR is set only after bind: another stack's choice
    (without it) then fails on our port, while our server (with it, as all servers have) may bind and listen.
    """

    def __init__(self) -> None:
        self._held: list[socket.socket] = []

    def reserve(self) -> int:
        """Choose a port that nobody has and hold it."""
        for _ in range(1000):
            port = random.randint(LOWEST, HIGHEST)
            holder = socket.socket()
            try:
                holder.bind(("127.0.0.1", port))
            except OSError:
                holder.close()
                continue
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._held.append(holder)
            return port
        raise OSError(f"no free port on 127.0.0.1 between {LOWEST} and {HIGHEST}")

    def release(self) -> None:
        """Give all ports back."""
        while self._held:
            self._held.pop().close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _at: TracebackType | None,
    ) -> None:
        self.release()
