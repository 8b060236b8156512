"""The kinds of field that have a form of their own: money, ways to reach somebody, bank numbers. Pure."""

import re
from decimal import Decimal
from typing import Any, Literal

from pydantic_core import PydanticCustomError
from stdnum.us import rtn

from services.intake.fields import ChoiceField, DateField, FormField, MonthField, TextField
from shared.contracts.addresses import in_ascii

_MONEY = re.compile(r"\$?([0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,9})(\.[0-9]{2})?")
_PHONE = re.compile(r"(?:\+?1)?([2-9][0-9]{2}[2-9][0-9]{6})")
_BANK_ACCOUNT = re.compile(r"[0-9]{4,17}")
MOST = 254  # characters of a mail address, by RFC 5321
# Of a shorter number four digits would be too much of it.
_SHOWS_ITS_END = 8


class MoneyField(FormField):
    """US dollars, kept with two digits for the cents: ``$1,250`` is ``1250.00``."""

    kind: Literal["money"]

    @property
    def schema_(self) -> dict[str, Any]:
        """With or without dollar sign, commas and cents."""
        return {"type": "string", "pattern": f"^{_MONEY.pattern}$"}

    def check(self, value: str) -> str:
        """An amount above nothing."""
        match = _MONEY.fullmatch(value)
        if not match or not (amount := Decimal(match[1].replace(",", "") + (match[2] or ""))):
            raise PydanticCustomError("money_format", "Enter a dollar amount above zero, such as 1250.00.")
        return f"{amount:.2f}"


class EmailField(FormField):
    """An address that every mail server takes."""

    kind: Literal["email"]

    @property
    def schema_(self) -> dict[str, Any]:
        """An address."""
        return {"type": "string", "format": "email", "maxLength": MOST}

    def check(self, value: str) -> str:
        """As the notifier would have it."""
        try:
            return in_ascii(value if len(value) <= MOST else "")
        except ValueError:
            raise PydanticCustomError("email_format", "Enter one email address, such as name@agency.example.") from None


class PhoneField(FormField):
    """A telephone number of North America, kept as ``+1`` and ten digits."""

    kind: Literal["phone"]

    def check(self, value: str) -> str:
        """Ten digits, whatever stands between them."""
        match = _PHONE.fullmatch(re.sub(r"[ ().-]", "", value))
        if not match:
            raise PydanticCustomError("phone_format", "Enter ten digits with the area code, such as 312-555-0142.")
        return f"+1{match[1]}"


class RoutingNumberField(FormField):
    """A bank's ABA routing number, with its check digit."""

    kind: Literal["routing-number"]

    @property
    def schema_(self) -> dict[str, Any]:
        """Nine digits; the check digit is beyond a schema."""
        return {"type": "string", "pattern": "^[0-9]{9}$"}

    def check(self, value: str) -> str:
        """The check digit finds one wrong digit and most swapped ones."""
        if not rtn.is_valid(value) or not value.isascii():
            raise PydanticCustomError("routing_number", "This is not a valid routing number; check its nine digits.")
        return str(rtn.compact(value))


class BankAccountField(FormField):
    """The number of a bank account: digits only, spaces and hyphens left out."""

    kind: Literal["bank-account"]

    @property
    def schema_(self) -> dict[str, Any]:
        """Digits, which may be grouped."""
        return {"type": "string", "pattern": "^[0-9 -]{4,40}$"}

    def check(self, value: str) -> str:
        """As many digits as the clearing house takes."""
        digits = re.sub(r"[ -]", "", value)
        if not _BANK_ACCOUNT.fullmatch(digits):
            raise PydanticCustomError("bank_account", "Enter a bank account number of 4 to 17 digits.")
        return digits

    def mask(self, value: str) -> str:
        """The end of a long number, as banks print it; of a short one nothing."""
        return f"ends in {value[-4:]}" if len(value) >= _SHOWS_ITS_END else super().mask(value)


Cell = (
    TextField
    | ChoiceField
    | DateField
    | MonthField
    | MoneyField
    | EmailField
    | PhoneField
    | RoutingNumberField
    | BankAccountField
)
