"""Holds and notices: dated, per type and line of business, read again whenever their file changes."""

import tomllib
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from pathlib import Path
from typing import Self

from prometheus_client import CollectorRegistry, Gauge
from pydantic import AwareDatetime, Field, TypeAdapter, model_validator

from services.intake.catalogue import LINE_FIELD, Catalogue
from services.intake.fields import Entry, Words
from shared.contracts.envelope import now
from shared.contracts.requests import Form, Notice
from shared.contracts.tickets import StaffReason
from shared.runtime.logs import log
from shared.runtime.problems import Problem
from shared.runtime.settings import ConfigurationError

SHIPPED = Path(__file__).parent / "holds.toml"


class Effect(StrEnum):
    """What a hold does to a request, beside what it says."""

    REFUSE = "refuse"
    PARK = "park"
    WARN = "warn"


class Hold(Entry):
    """One hold: what it says, what it does, whom it concerns, and when."""

    text: Words
    effect: Effect
    reason: StaffReason = Field(default=StaffReason.OTHER, description="Why a parked ticket is On hold.")
    request_types: tuple[str, ...] = Field(min_length=1)
    lines_of_business: tuple[str, ...] = Field(default=(), description="None: whatever the line.")
    since: AwareDatetime = Field(alias="from")
    until: AwareDatetime | None = None

    @model_validator(mode="after")
    def _ends_later(self) -> Self:
        if self.until is not None and self.until <= self.since:
            raise ValueError("until must be later than from")
        return self

    def is_on(self, request_type: str, moment: datetime) -> bool:
        """Whether a type is concerned at a moment."""
        dated = self.since <= moment and (self.until is None or moment < self.until)
        return dated and request_type in self.request_types

    def concerns(self, form: Form) -> bool:
        """Whether a form of such a type is."""
        return not self.lines_of_business or form.get(LINE_FIELD) in self.lines_of_business


_FILE: TypeAdapter[dict[str, list[Hold]]] = TypeAdapter(dict[str, list[Hold]])


class Holds:
    """The holds in one file; while it is broken, those that it had before.

    Raises:
        ConfigurationError: it is broken when the service starts.
    """

    def __init__(self, path: Path | None, catalogue: Catalogue, registry: CollectorRegistry) -> None:
        """``path`` is the file; without one it is that which is shipped."""
        self._path, self._catalogue = path or SHIPPED, catalogue
        self._stamp = _stamp_of(self._path)
        try:
            self._holds, self._is_broken = self._read(), False
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"POR_HOLDS_FILE: {self._path}: {error}") from None
        gauge = Gauge("por_holds_broken", "1 while the file of holds cannot be read.", registry=registry)
        gauge.set_function(lambda: float(self._refreshed()._is_broken))  # noqa: SLF001  # itself

    def active(self, request_type: str, moment: datetime | None = None) -> list[Hold]:
        """The holds on a type, now or at a moment."""
        return [hold for hold in self._refreshed()._holds if hold.is_on(request_type, moment or now())]  # noqa: SLF001  # itself

    def notices(self, request_type: str, form: Form) -> tuple[Notice, ...]:
        """What the holds have to say of a form.

        Raises:
            Problem: 409 ``on-hold`` where one refuses it.
        """
        found = [hold for hold in self.active(request_type) if hold.concerns(form)]
        if refusing := next((hold for hold in found if hold.effect is Effect.REFUSE), None):
            raise Problem(HTTPStatus.CONFLICT, "on-hold", refusing.text)
        return tuple(
            Notice(text=hold.text, parks=hold.reason.value if hold.effect is Effect.PARK else None) for hold in found
        )

    def _refreshed(self) -> Self:
        stamp = _stamp_of(self._path)
        if stamp != self._stamp:
            self._stamp = stamp
            try:
                self._holds, self._is_broken = self._read(), False
                log.info("holds read", holds=len(self._holds))
            except (OSError, ValueError) as error:
                self._is_broken = True
                # Its own text, for this file is the operator's and holds nobody's data.
                log.error("holds cannot be read, those before stay", problem=" ".join(str(error).split()))
        return self

    def _read(self) -> list[Hold]:
        file = _FILE.validate_python(tomllib.loads(self._path.read_text()))
        # An editor may empty a file before it writes it: no holds at all must be said, as holds = [].
        if file.keys() != {"holds"}:
            raise ValueError("it must have [[holds]], or holds = [], and nothing else")
        for hold in file["holds"]:
            self._require_known(hold)
        return file["holds"]

    def _require_known(self, hold: Hold) -> None:
        for code in hold.request_types:
            kind = self._catalogue.types.get(code)
            if kind is None:
                raise ValueError(f"there is no request type {code}")
            if unknown := set(hold.lines_of_business) - kind.lines_of_business:
                raise ValueError(f"{code} has no line of business {', '.join(sorted(unknown))}")


def _stamp_of(path: Path) -> tuple[int, int, int] | None:
    """What changes when a file does: an editor may replace it, or write into it."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
