"""The identity provider's public keys behind a URL: kept for minutes, and looked for by one at a time."""

import asyncio
import time

import jwt

LIFESPAN = 300  # seconds
COOLDOWN = 30.0  # seconds between two looks for a key that is not among those kept


class KeysAway(Exception):
    """The identity provider gives no keys, or something else in their place."""


class RemoteKeys:
    """A JWKS URL as the verifier uses it.

    A key that is kept is found without waiting. For any other one caller looks, once per cooldown, and those who waited
    for him share what he saw: however many tokens name unknown keys, they delay nobody else's.
    """

    def __init__(self, url: str) -> None:
        self._client = jwt.PyJWKClient(url, lifespan=LIFESPAN, timeout=3)
        self._turn = asyncio.Lock()
        self._looked_at, self._failed = float("-inf"), False

    async def key(self, key_id: str) -> jwt.PyJWK:
        """The key with this id.

        Raises:
            KeysAway: it cannot be looked for now.
            jwt.InvalidKeyError: the provider has no such key.
        """
        if (kept := self._kept().get(key_id)) is not None:
            return kept
        began = time.monotonic()
        async with self._turn:
            # Where no keys are kept every token waits for them, and each is worth a look of its own.
            if self._looked_at < began - (COOLDOWN if self._kept() else 0):
                await self._look()
            if (kept := self._kept().get(key_id)) is not None:
                return kept
            raise KeysAway if self._failed else jwt.InvalidKeyError("unknown key")

    def _kept(self) -> dict[str, jwt.PyJWK]:
        keys = self._client.jwk_set_cache.get() if self._client.jwk_set_cache else None
        return (
            {key.key_id: key for key in keys.keys if key.key_id and key.public_key_use in {"sig", None}} if keys else {}
        )

    async def _look(self) -> None:
        try:
            await asyncio.to_thread(self._client.get_signing_keys, refresh=True)
            self._failed = False
        except (jwt.PyJWTError, ValueError, OSError):
            self._failed = True
        self._looked_at = time.monotonic()
