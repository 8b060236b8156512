"""What the tests do at the portal again and again."""

import re
from pathlib import Path
from typing import Any

from playwright.async_api import FilePayload, Locator, Page

from tests.fixtures.desk import LETTER, Desk

FORM = "/assistance/group-por-change"
TYPES = sorted(path.stem for path in Path("services/intake/request_types").glob("*.toml"))
PDF: FilePayload = {"name": "signed letter.pdf", "mimeType": "application/pdf", "buffer": LETTER}
TEXT: FilePayload = {"name": "letter.pdf", "mimeType": "application/pdf", "buffer": b"Dear desk, please change it."}


async def fill_in(page: Page, *, account_number: str = "041872", line: str = "Group medical") -> None:
    """Everything but the letter."""
    await page.get_by_label("Line of Business").select_option(line)
    await page.get_by_label("Account Number").fill(account_number)
    await page.get_by_label("Account Name").fill("Harbor & Pine <b>Woodworks</b>, Inc.")


async def send(page: Page) -> str:
    """Send a correct request; its ticket number."""
    await fill_in(page)
    await page.get_by_label("POR Documentation").set_input_files([PDF])
    await page.get_by_role("button", name="Submit").click()
    number = await page.locator("#sent a").inner_text()
    assert re.fullmatch(r"SR-\d{8}-\d", number)
    return number


def row(page: Page, number: str) -> Locator:
    """A ticket's row in the list."""
    return page.locator("#tickets tbody tr").filter(has_text=number)


async def fill_in_examples(page: Page, entry: dict[str, Any]) -> None:
    """Every field with the catalogue's own example, and a letter where one is asked for."""
    for field in entry["layout"]:
        place = page.locator(f"#f-{field['name']}")
        if field["kind"] == "choice":
            await place.select_option(field["example"])
        elif field["kind"] == "affirmation":
            await place.check()
        else:
            await place.fill(field["example"].strip())
    for document in entry["documents"]:
        await page.locator(f"#f-{document['part']}").set_input_files([PDF])


async def move(page: Page, status: str, **more: str) -> None:
    """Move the ticket that is open at staff's desk."""
    await page.get_by_label("New status").select_option(status)
    if "reason" in more:
        await page.get_by_label("Reason").select_option(more["reason"])
    if "comment" in more:
        await page.get_by_label("Comment").fill(more["comment"])
    # What is looked at next may have come by itself, and the answer would then take the place of what is done to it.
    async with page.expect_navigation():
        await page.get_by_role("button", name="Move").click()


def text_of(desk: Desk, number: str, status: str, count: int) -> str:
    """The text of the last mail with this status, once so many mails are there."""
    found = [mail for mail in desk.mails(number, count) if mail["subject"].endswith(status)]
    text = found[-1].get_body(("plain",))
    assert text is not None
    content: str = text.get_content()
    return content
