"""Who may come in: the users of a file and their passwords. For development.

In production the carrier's OpenID provider does this; `docs/portal.md` says what takes this file's place.
"""

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal, ParamSpec, TypeVar

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError
from pydantic import BaseModel, TypeAdapter, ValidationError, field_validator

from portal.addresses import MailAddress
from portal.settings import ConfigurationError

SHORTEST_PASSWORD = 12

P = ParamSpec("P")
T = TypeVar("T")


class User(BaseModel, frozen=True):
    """One user of the file; ``password`` is its Argon2 hash."""

    user_id: str
    name: str
    company: str
    email: MailAddress
    role: Literal["producer", "staff"]
    producer_id: str | None = None
    reads_private: bool = False  # staff who may read bank details
    password: str

    @field_validator("password")
    @classmethod
    def _is_hashed(cls, value: str) -> str:
        try:
            extract_parameters(value)
        except InvalidHashError:
            raise ValueError("no Argon2 hash") from None
        return value

    @property
    def is_staff(self) -> bool:
        """Whether this is the carrier's own staff."""
        return self.role == "staff"


class Identity:
    """Finds users, checks and changes their passwords.

    Raises:
        ConfigurationError: the users, or the passwords they changed, cannot be read.
    """

    def __init__(self, users_file: Path, state_dir: Path) -> None:
        self._users = {user.user_id.casefold(): user for user in _read(users_file, list[User])}
        self._changed_file = state_dir / "passwords.json"
        self._changed = _read(self._changed_file, dict[str, str]) if self._changed_file.exists() else {}
        self._hasher = PasswordHasher()
        # Made as the others are, so that it takes as long as they do.
        like = [extract_parameters(user.password) for user in self._users.values()]
        self._nobody = (PasswordHasher.from_parameters(like[0]) if like else self._hasher).hash(os.urandom(16))
        self._turn = asyncio.Semaphore(2)  # each hash takes 64 MiB for its while

    def find(self, user_id: str) -> User | None:
        """The user with this id, in whatever case it was typed."""
        return self._users.get(user_id.strip().casefold())

    def with_email(self, email: str) -> list[User]:
        """The users whose mail goes to this address."""
        return [user for user in self._users.values() if user.email.casefold() == email.strip().casefold()]

    def name_of(self, user_id: str) -> str:
        """What a person reads for a user id; of whom this file does not know, the id itself."""
        user = self.find(user_id)
        return user.name if user else user_id

    def staff(self) -> list[User]:
        """Everybody whom a ticket can be given to."""
        return [user for user in self._users.values() if user.is_staff]

    async def sign_in(self, user_id: str, password: str) -> User | None:
        """The user, if the password is right; an unknown user takes as long as a wrong password."""
        user = self.find(user_id)
        kept = self._changed.get(user.user_id, user.password) if user else self._nobody
        is_right = await self._in_turn(self._verify, kept, password)
        return user if is_right else None

    async def change_password(self, user: User, password: str) -> None:
        """Give a user another password; it outlives a restart."""
        hashed = await self._in_turn(self._hasher.hash, password)
        self._changed[user.user_id] = hashed
        temporary = self._changed_file.with_suffix(".new")
        temporary.touch(mode=0o600)
        temporary.write_text(json.dumps(self._changed))
        temporary.replace(self._changed_file)

    def _verify(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _in_turn(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        async with self._turn:
            return await asyncio.to_thread(work, *arguments, **named)


def _read(path: Path, kind: type[T]) -> T:
    try:
        return TypeAdapter(kind).validate_json(path.read_bytes())
    except (OSError, ValidationError):
        raise ConfigurationError(f"{path} cannot be read, or is not what it should be.") from None
