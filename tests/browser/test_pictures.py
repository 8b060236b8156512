"""The main pages at a glance; with ``--pictures`` they are kept in docs/pictures for the documentation."""

from pathlib import Path

import pytest
from playwright.async_api import FilePayload, Page, expect

from tests.browser.steps import FORM, PDF
from tests.fixtures.desk import Desk
from tests.fixtures.portal import STAFF, PortalUnderTest, Visit
from tests.fixtures.transfer_forms import WHOLE, filled, maker

PICTURES = Path(__file__).resolve().parents[2] / "docs/pictures"


class Album:
    """Keeps pictures of pages, if that is asked for."""

    def __init__(self, *, is_wanted: bool) -> None:
        self._is_wanted = is_wanted

    async def keep(self, page: Page, name: str) -> None:
        """A picture of the whole page."""
        if self._is_wanted:
            await page.screenshot(path=PICTURES / f"{name}.png", full_page=True)


@pytest.fixture
def album(request: pytest.FixtureRequest) -> Album:
    """Kept only with the option: a test run leaves the tree as it is."""
    return Album(is_wanted=bool(request.config.getoption("--pictures")))


async def test_the_main_pages_show_what_they_are_for(
    visit: Visit, portal: PortalUnderTest, desk: Desk, album: Album
) -> None:
    """Login, home, the menu, a form with its tickets, a ticket, the queue, and a ticket at the desk."""
    producer, staff = await visit(), await visit()
    page = producer.page
    await producer.open("/login")
    await expect(page.locator("h2")).to_have_text("What you can do here")
    await album.keep(page, "login")
    await producer.log_in(portal.dana)
    await expect(page.locator("h1")).to_have_text("Welcome, Dana Whitfield")
    await album.keep(page, "home")
    await producer.open("/assistance")
    await expect(page.locator(".menu li")).to_have_count(9)
    await album.keep(page, "assistance")
    numbers = []
    for line, account in (
        ("group-dental", ("027715", "Lakeside Dental Partners")),
        ("group-medical", ("041872", "Harbor & Pine Woodworks, Inc.")),
    ):
        await producer.open(FORM)
        await page.get_by_label("Line of Business").select_option(line)
        await page.get_by_label("Account Number").fill(account[0])
        await page.get_by_label("Account Name").fill(account[1])
        await page.get_by_label("POR Documentation").set_input_files([PDF])
        await page.get_by_role("button", name="Submit").click()
        numbers.append(await page.locator("#sent a").inner_text())
    desk.staff.move(numbers[0], "action-needed", reason="signature-missing", comment="Page 2 is not signed.")
    await expect(page.locator("#tickets")).to_contain_text("Action needed")
    await album.keep(page, "request")
    await producer.open(f"/tickets/{numbers[0]}")
    await expect(page.locator(".timeline")).to_contain_text("Page 2 is not signed.")
    await album.keep(page, "ticket")
    await staff.log_in(STAFF)
    await expect(staff.page.locator("h1")).to_have_text("Queue")
    await album.keep(staff.page, "desk")
    await staff.open(f"/desk/{numbers[1]}")
    await expect(staff.page.locator("iframe")).to_be_visible()
    await staff.page.wait_for_load_state("networkidle")
    await album.keep(staff.page, "desk-ticket")


async def test_a_transfer_form_stands_beside_its_request(
    visit: Visit, portal: PortalUnderTest, desk: Desk, album: Album
) -> None:
    """Staff's page with a form that was filled in, one field otherwise than the request."""
    producer, staff = await visit(), await visit()
    page = producer.page
    await producer.log_in(portal.dana, FORM)
    known = {**WHOLE, "account_number": "041-827", "new_producer_id": "P1188", "signature": "", "signed_on": ""}
    form: FilePayload = {
        "name": "Group POR Transfer Form.pdf",
        "mimeType": "application/pdf",
        "buffer": filled(maker().make({}), known),
    }
    await page.get_by_label("Line of Business").select_option("group-medical")
    await page.get_by_label("Account Number").fill("041872")
    await page.get_by_label("Account Name").fill("Harbor & Pine Woodworks, Inc.")
    await page.get_by_label("Effective Date").fill("2027-01-01")
    await page.get_by_label("POR Documentation").set_input_files([form])
    await page.get_by_role("button", name="Submit").click()
    number = await page.locator("#sent a").inner_text()
    await staff.log_in(STAFF, f"/desk/{number}")
    await expect(staff.page.locator("#comparison tr.differs")).to_have_count(1)
    await staff.page.wait_for_load_state("networkidle")
    await album.keep(staff.page, "comparison")
