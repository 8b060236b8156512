"""A small client of the gateway's public HTTP API, for the demo and the tests."""

from pathlib import Path
from typing import Any

import httpx

PDF = "application/pdf"


class Gateway:
    """Calls the gateway as one caller; answers are httpx responses, whatever their status."""

    def __init__(self, url: str, token: str | None, timeout: float = 30) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.http = httpx.Client(base_url=url, headers=headers, timeout=timeout, trust_env=False)

    def post_request(
        self,
        fields: dict[str, str],
        letter: bytes | None,
        *,
        part: str = "por_documentation",
        filename: str = "letter.pdf",
        key: str | None = None,
        wait: int | None = None,
    ) -> httpx.Response:
        """POST /v1/requests as an HTML form sends it; the letter goes into its part."""
        headers = {}
        if key is not None:
            headers["Idempotency-Key"] = f'"{key}"'
        if wait is not None:
            headers["Prefer"] = f"wait={wait}"
        parts: list[tuple[str, Any]] = [(name, (None, value)) for name, value in fields.items()]
        if letter is not None:
            parts.append((part, (filename, letter, PDF)))
        return self.http.post("/v1/requests", files=parts, headers=headers)

    def tickets(self, **query: str | int) -> httpx.Response:
        """GET /v1/tickets."""
        return self.http.get("/v1/tickets", params=query)

    def ticket(self, number: str) -> httpx.Response:
        """GET /v1/tickets/{number}."""
        return self.http.get(f"/v1/tickets/{number}")

    def move(self, number: str, status: str, *, if_match: str | None = None, **more: str) -> httpx.Response:
        """POST /v1/tickets/{number}/status."""
        return self.http.post(
            f"/v1/tickets/{number}/status",
            json={"status": status, **more},
            headers={"If-Match": if_match} if if_match else {},
        )

    def act(self, number: str, what: str, **body: str | None) -> httpx.Response:
        """POST /v1/tickets/{number}/{what}: claim, assignment, notes, withdrawal."""
        return self.http.post(f"/v1/tickets/{number}/{what}", json=body)

    def letter(self, letter_id: str) -> httpx.Response:
        """GET /v1/letters/{id}."""
        return self.http.get(f"/v1/letters/{letter_id}")


def mails_about(maildir: Path, ticket_number: str) -> list[Path]:
    """The mails in a maildir whose subject names a ticket, oldest first."""
    found = [
        path
        for path in (maildir / "new").iterdir()
        if ticket_number.encode() in path.read_bytes().partition(b"\n\n")[0]
    ]
    return sorted(found, key=lambda path: path.stat().st_mtime_ns)
