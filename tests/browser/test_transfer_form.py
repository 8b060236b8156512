"""The transfer form from the producer's download to staff's comparison, in a real browser before the real desk."""

import asyncio
import io
from pathlib import Path

from playwright.async_api import FilePayload, Page, expect
from pypdf import PdfReader

from tests.browser.steps import FORM, PDF, fill_in
from tests.browser.test_for_everybody import assert_accessible
from tests.fixtures.desk import Desk
from tests.fixtures.portal import STAFF, Account, Visit
from tests.fixtures.transfer_forms import WHOLE, filled, maker


async def download(page: Page, link: str) -> bytes:
    """The file behind a link."""
    async with page.expect_download() as coming:
        await page.get_by_role("link", name=link).click()
    file = await coming.value
    assert file.suggested_filename == "group-por-transfer.pdf"
    return await asyncio.to_thread(Path(await file.path()).read_bytes)


async def send_form(page: Page, form: bytes) -> str:
    """Send a request with a form as its letter; its ticket number."""
    await fill_in(page)
    letter: FilePayload = {"name": "transfer form.pdf", "mimeType": "application/pdf", "buffer": form}
    await page.get_by_label("POR Documentation").set_input_files([letter])
    await page.get_by_role("button", name="Submit").click()
    return await page.locator("#sent a").inner_text()


async def test_the_form_knows_who_downloads_it(visit: Visit, producer_account: Account) -> None:
    """Home and the form's page give the same form, with the producer's name, id and company in it; staff's is empty."""
    visitor, staff = await visit(), await visit()
    await visitor.log_in(producer_account)
    form = await download(visitor.page, "Group POR Transfer Form")
    fields = PdfReader(io.BytesIO(form)).get_fields() or {}
    assert {name: str(fields[name].value) for name in ("new_producer", "new_producer_id", "agency")} == {
        "new_producer": producer_account.name,
        "new_producer_id": producer_account.producer_id,
        "agency": producer_account.company,
    }
    await visitor.open(FORM)
    assert await download(visitor.page, "Download the Group POR Transfer Form") == form
    await staff.log_in(STAFF)
    answer = await staff.page.request.get(f"{staff.url}/forms/group-por-transfer")
    assert await answer.body() == maker().make({})


async def test_staff_compares_the_form_with_the_request(visit: Visit, producer_account: Account, desk: Desk) -> None:
    """Beside the letter staff reads what matches, differs and is missing; the producer sees none of it."""
    producer, staff = await visit(), await visit()
    page = producer.page
    await producer.log_in(producer_account, FORM)
    form = await download(page, "Download the Group POR Transfer Form")
    own = {"account_name", "new_producer", "new_producer_id", "agency", "signature"}
    typed = {name: value for name, value in WHOLE.items() if name not in own}
    number = await send_form(page, filled(form, {**typed, "account_name": "Harbor & Pine <b>Lumber</b>, Inc."}))

    await staff.log_in(STAFF, f"/desk/{number}")
    table, own_id = staff.page.locator("#comparison table"), producer_account.producer_id or ""
    for label, form_says, request_says, result in (
        ("Account number", "041872", "041872", "Matches"),
        ("Line of business", "Group medical", "Group medical", "Matches"),
        ("New producer ID", own_id, own_id, "Matches"),
        ("Group's legal name", "Harbor & Pine <b>Lumber</b>, Inc.", "Harbor & Pine <b>Woodworks</b>, Inc.", "Differs"),
        ("Authorized signer", "Margaret Ellison", "", "Form only"),
        ("Signature", "", "", "Missing"),
    ):
        row = table.get_by_role("row").filter(has=staff.page.get_by_role("rowheader", name=label, exact=True))
        await expect(row.get_by_role("cell")).to_have_text([form_says, request_says, result])
    await expect(staff.page.locator("#comparison")).to_contain_text("The form and the request differ.")
    await assert_accessible(staff)

    await producer.open(f"/tickets/{number}")
    await expect(page.locator("main")).not_to_contain_text("Margaret Ellison")
    await page.get_by_label("New letter").set_input_files([PDF])
    await page.get_by_role("button", name="Send").click()
    await expect(page.locator(".letters")).to_contain_text(PDF["name"])
    await staff.open(f"/desk/{number}")
    await expect(staff.page.locator("#comparison")).to_contain_text("Not readable as a form")
    await expect(staff.page.locator("#comparison summary")).to_have_text("Before: transfer form.pdf")
    await expect(table).to_be_hidden()
    await assert_accessible(staff)
