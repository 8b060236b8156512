"""The kinds of field: what each takes, how it is kept, and what of a private one is shown."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as some
from pydantic import BaseModel, ValidationError
from stdnum.us import rtn

from services.intake.field_kinds import BankAccountField, EmailField, MoneyField, PhoneField, RoutingNumberField
from services.intake.fields import FormField, MonthField
from services.intake.tables import model_of

KINDS: dict[str, FormField] = {
    "money": MoneyField(kind="money", name="it", label="It", example="1"),
    "month": MonthField(kind="month", name="it", label="It", example="2026-10"),
    "email": EmailField(kind="email", name="it", label="It", example="a@b.example"),
    "phone": PhoneField(kind="phone", name="it", label="It", example="312-555-0142"),
    "routing": RoutingNumberField(kind="routing-number", name="it", label="It", example="111000025"),
    "account": BankAccountField(kind="bank-account", name="it", label="It", example="1234"),
}
MODELS: dict[str, type[BaseModel]] = {name: model_of("form", (field,)) for name, field in KINDS.items()}
DIGITS = some.text(string.digits, min_size=1, max_size=20)


def kept(kind: str, value: str) -> str | None:
    """How a value is kept; None where it is refused."""
    try:
        return str(MODELS[kind].model_validate({"it": value}).model_dump()["it"])
    except ValidationError:
        return None


@pytest.mark.parametrize(
    ("kind", "value", "as_kept"),
    [
        ("money", "1250", "1250.00"),
        ("money", "$1,250.5", None),
        ("money", "$1,250.50", "1250.50"),
        ("money", "1,000,000", "1000000.00"),
        ("money", "1,00", None),
        ("money", "0", None),
        ("money", "0.00", None),
        ("money", "-5", None),
        ("money", "1e9", None),
        ("money", "٣", None),
        ("money", "0.01", "0.01"),
        ("month", "2026-10", "2026-10"),
        ("month", "2026-13", None),
        ("month", "10/2026", None),
        ("email", "dana@agency.example", "dana@agency.example"),
        ("email", "dana@agency@example", None),
        ("email", "dana", None),
        ("email", "x" * 9000, None),
        ("email", f"dana@{'a.' * 130}example", None),
        ("phone", "312-555-0142", "+13125550142"),
        ("phone", "+1 (312) 555.0142", "+13125550142"),
        ("phone", "555-0142", None),
        ("phone", "112-555-0142", None),
        ("phone", "\u0663\u0661\u0662-555-0142", None),
        ("routing", "111000025", "111000025"),
        ("routing", "112000025", None),
        ("routing", "11100002", None),
        ("routing", "\uff11\uff11\uff11000025", None),
        ("account", "0001 2345-6789", "000123456789"),
        ("account", "123", None),
        ("account", "1" * 18, None),
        ("account", "1234a", None),
    ],
)
def test_each_kind_takes_what_it_is_and_keeps_it_in_one_way(kind: str, value: str, as_kept: str | None) -> None:
    """What people write in several ways is kept in one, and what is none of them is refused."""
    assert kept(kind, value) == as_kept


@given(some.sampled_from(sorted(MODELS)), some.text(max_size=30) | DIGITS)
def test_what_is_kept_is_kept_again_as_it_is(kind: str, value: str) -> None:
    """Whatever is typed is refused or kept; what is kept is its own best form, so a retry is the same form."""
    once = kept(kind, value)
    assert once is None or kept(kind, once) == once


@given(some.text(string.digits, min_size=8, max_size=8), some.integers(0, 8), some.integers(1, 9))
def test_one_wrong_digit_of_a_routing_number_is_found(digits: str, place: int, by: int) -> None:
    """The check digit tells every routing number from those that differ in one digit."""
    right = digits + rtn.calc_check_digit(digits)
    wrong = f"{right[:place]}{(int(right[place]) + by) % 10}{right[place + 1 :]}"
    assert kept("routing", right) == right
    assert kept("routing", wrong) is None


@given(some.text(string.digits, min_size=4, max_size=17))
def test_a_mask_keeps_most_of_a_number_to_itself(number: str) -> None:
    """Of a bank account at most the last four digits are shown, and never half of it; of a routing number none."""
    mask = KINDS["account"].mask(number)
    shown = "".join(char for char in mask if char.isdigit())
    assert shown == (number[-4:] if len(number) >= 8 else "")
    assert not any(char.isdigit() for char in KINDS["routing"].mask(number))
