"""Which addresses the desk can write to."""

import pytest

from shared.contracts.addresses import in_ascii


@pytest.mark.parametrize(
    ("email", "ascii_form"),
    [
        ("p1@agency.example", "p1@agency.example"),
        ("dana.o'neil+por@agency.example", "dana.o'neil+por@agency.example"),
        ("dana@bücher.example", "dana@xn--bcher-kva.example"),
    ],
)
def test_an_address_is_taken_in_the_form_that_every_server_takes(email: str, ascii_form: str) -> None:
    """What can be written to is, with the domain in ASCII."""
    assert in_ascii(email) == ascii_form


@pytest.mark.parametrize(
    "email",
    ["", "p1", "p1@", "@b", "a@b@c", "<a@b.example>", "a b@c.example", "a@b.example\r\nBcc: c@d.example", "_@[é=",
     "\\@ [ \t", "jürgen@agency.example", "a@faß.example", f"a@{'b' * 70}.example"],
)  # fmt: skip
def test_what_cannot_be_written_to_is_refused(email: str) -> None:
    """Whatever is no single address, or has no ASCII form, is one kind of error, whichever way the parser fails."""
    with pytest.raises(ValueError):  # noqa: PT011  # which of its kinds is nobody's business
        in_ascii(email)
