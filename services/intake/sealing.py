"""Private fields: encrypted before anything is written or published, and opened again for whom may read them."""

import hmac
import json
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import Field

from services.intake.catalogue import RequestType
from shared.contracts.requests import Form, Letter, Submission
from shared.runtime.logs import log
from shared.runtime.problems import Problem
from shared.runtime.settings import ConfigurationError


class KeptRequest(Submission):
    """A request as ``request.json`` keeps it: beside what is published, the private fields, encrypted."""

    sealed: dict[str, str] = Field(default_factory=dict)

    @property
    def says(self) -> list[str]:
        """The texts of the holds that concern it."""
        return [notice.text for notice in self.notices]

    @property
    def published(self) -> Submission:
        """What the other services may have."""
        return Submission(**{name: getattr(self, name) for name in Submission.model_fields})


class Sealer:
    """One set of keys: the first encrypts, every one decrypts."""

    def __init__(self, keys: list[str]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])
        # A key of its own for each purpose, so that one says nothing of the other.
        self._hash_key = HKDF(SHA256(), 32, salt=None, info=b"por-desk fingerprint").derive(keys[0].encode())

    def seal(self, kind: RequestType, form: Form) -> tuple[Form, dict[str, str]]:
        """A form as everybody may see it, and its private fields encrypted."""
        private = {name: str(value) for name, value in form.items() if name in kind.private_fields}
        shown = {name: kind.private_fields[name].mask(value) for name, value in private.items()}
        return form | shown, {name: self._fernet.encrypt(value.encode()).decode() for name, value in private.items()}

    def open(self, sealed: Mapping[str, str]) -> dict[str, str]:
        """Private fields in clear.

        Raises:
            Problem: 500, no key fits: one was taken out of the file too early. Coming back does not help.
        """
        try:
            return {name: self._fernet.decrypt(token).decode() for name, token in sealed.items()}
        except InvalidToken as error:
            log.error("private fields not opened: a key that they need is not in POR_FIELD_KEYS_FILE")
            raise Problem(
                HTTPStatus.INTERNAL_SERVER_ERROR,
                "field-key-missing",
                "The private fields of this request cannot be opened, now or later; please call the carrier.",
            ) from error

    def fingerprint(self, form: Mapping[str, Any], letters: tuple[Letter, ...]) -> str:
        """What tells a retry from a key used again for something else; without our key it says nothing of the form."""
        content = {"form": form, "letters": letters_fingerprint(letters)}
        return hmac.digest(self._hash_key, json.dumps(content, sort_keys=True).encode(), "sha256").hex()

    def fingerprint_of(self, kept: KeptRequest) -> str:
        """The fingerprint of what was kept, under the key of today: after a rotation a retry is still one."""
        return self.fingerprint({**kept.form, **self.open(kept.sealed)}, kept.letters)


def letters_fingerprint(letters: tuple[Letter, ...]) -> str:
    """The same letters, in whatever order, give the same."""
    return " ".join(sorted(letter.sha256 for letter in letters))


def read_keys(path: Path) -> list[str]:
    """The keys in a file, one in each line, the newest first.

    Raises:
        ConfigurationError: there is none, or a line is no key.
    """
    try:
        keys = path.read_text().split()
        for key in keys:
            Fernet(key)
    except (OSError, ValueError):
        keys = []
    if not keys:
        raise ConfigurationError(
            f"POR_FIELD_KEYS_FILE: no keys can be read from {path}. Make one with: "
            'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
        )
    return keys
