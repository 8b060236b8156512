"""Which mail addresses the portal can write from and to."""

from email.headerregistry import Address
from typing import Annotated

from pydantic import AfterValidator


def _can_be_mailed(value: str) -> str:
    try:
        address = Address(addr_spec=value)
    except Exception as error:  # the parser raises nearly anything for what is no address
        raise ValueError("this is no address") from error
    if not address.domain or not value.isascii():
        raise ValueError("this is no address that every mail server takes")
    return address.addr_spec


MailAddress = Annotated[str, AfterValidator(_can_be_mailed)]
