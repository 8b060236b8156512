"""Where letters, receipts and forms lie in the object store: a contract of intake and documents."""


def letter_key(request_id: object, sha256: str) -> str:
    """Where a letter lies: written by intake, judged and served by documents."""
    return f"requests/{request_id}/{sha256}"


def receipt_key(request_id: object, sha256: str) -> str:
    """Where the receipt of a letter lies."""
    return f"{letter_key(request_id, sha256)}.receipt.json"


def form_key(request_id: object) -> str:
    """Where the form as received lies."""
    return f"requests/{request_id}/request.json"


def reply_key(request_id: object, reply_id: object) -> str:
    """Where a producer's further letters are listed as received."""
    return f"requests/{request_id}/replies/{reply_id}.json"
