"""Which mail addresses the desk can write to: a rule of intake, which asks, and of notifier, which writes."""

from email.headerregistry import Address


def in_ascii(email: str) -> str:
    """One address as every mail server takes it, also one without SMTPUTF8.

    Raises:
        ValueError: it is no address, or has no such form.
    """
    try:
        address = Address(addr_spec=email)
    except Exception as error:  # the parser raises nearly anything for what is no address
        raise ValueError("this is no address") from error
    if not address.username.isascii():
        raise ValueError("the local part has no ASCII form")
    domain = address.domain.encode("idna").decode()
    # The codec's rules of 2003 fold some letters, as ß to ss: that is somebody else's domain today.
    is_itself = address.domain.isascii() or domain.encode().decode("idna").lower() == address.domain.lower()
    if not domain or not is_itself:
        raise ValueError("the domain has no ASCII form of its own")
    return Address(username=address.username, domain=domain).addr_spec
