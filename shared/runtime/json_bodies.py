"""JSON bodies that every program on the way reads alike: UTF-8, no name twice, only numbers that JSON knows."""

import json
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

from fastapi import Request, Response
from fastapi.routing import APIRoute


class StrictJsonRoute(APIRoute):
    """A route whose body is refused as ill-formed where two readers could see two different things in it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The framework's handler, on a request that reads strictly."""
        handler = super().get_route_handler()

        async def strict(request: Request) -> Response:
            return await handler(_StrictRequest(request.scope, request.receive))

        return strict


class _StrictRequest(Request):
    async def json(self) -> Any:
        try:
            text = (await self.body()).decode()
            return json.loads(text, object_pairs_hook=_each_once, parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            # What the framework takes for ill-formed JSON; without the text, which is nobody's business.
            raise json.JSONDecodeError("ill-formed", "", 0) from error


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name is there twice")
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
