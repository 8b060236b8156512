"""Doing several things at once of which none may run on when one of them has failed."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar, overload

A = TypeVar("A")
B = TypeVar("B")


@overload
async def together(first: Awaitable[A], second: Awaitable[B], /) -> tuple[A, B]: ...
@overload
async def together(*work: Awaitable[A]) -> tuple[A, ...]: ...
async def together(*work: Awaitable[object]) -> tuple[object, ...]:
    """What each gives, in order.

    Raises:
        BaseException: the first one's that failed, once all have ended.
    """
    ended = await asyncio.gather(*work, return_exceptions=True)
    for each in ended:
        if isinstance(each, BaseException):
            raise each
    return tuple(ended)
