"""What the tests do at the portal again and again."""

import re

from playwright.async_api import FilePayload, Locator, Page

from tests.fixtures.desk import LETTER

FORM = "/assistance/group-por-change"
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
