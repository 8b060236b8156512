"""One of each type of the catalogue, sent from the portal and worked to its end; and holds, as the form shows them."""

import re

import pytest
from playwright.async_api import FilePayload, expect

from tests.browser.steps import FORM, PDF, TYPES, fill_in, fill_in_examples, move, row
from tests.fixtures.desk import LETTER, Desk
from tests.fixtures.portal import STAFF, Account, Visit

TYPED_AGAIN = "bank_account_number_again"  # compared, and not kept
HOLD = "At this time, there is a hold on under 65 Producer of Record transfer requests."
WRONG_ROWS = "Account Number,Account Name,Effective Date\n041872,Harbor & Pine,\n12,Lakeside Dental,\n"


@pytest.mark.parametrize("request_type", TYPES)
async def test_each_type_is_sent_and_worked_to_its_end(
    visit: Visit, producer_account: Account, desk: Desk, request_type: str
) -> None:
    """The menu has it, its form takes what the catalogue says, its ticket tells it in the same words, and it ends."""
    [entry] = [each for each in desk.request_types() if each["request_type"] == request_type]
    visitor, staff = await visit(), await visit()
    page = visitor.page
    await visitor.log_in(producer_account, "/assistance")
    await page.get_by_role("link", name=entry["label"], exact=True).click()
    await expect(page.locator("h1")).to_have_text(entry["title"])
    await fill_in_examples(page, entry)
    await page.get_by_role("button", name="Submit").click()
    number = await page.locator("#sent a").inner_text()
    await expect(row(page, number)).to_contain_text(entry["title"])
    await staff.log_in(STAFF, f"/desk/{number}")
    for status in ("in-review", "approved", "resolved"):
        await move(staff.page, status)
        await expect(staff.page.locator("h1")).to_contain_text(status.replace("-", " ").capitalize())
    await visitor.open(f"/tickets/{number}")
    await expect(page.locator("h1")).to_contain_text("Resolved")
    kept = desk.staff.ticket(number).json()["form"]
    assert {field["name"] for field in entry["layout"]} - kept.keys() <= {TYPED_AGAIN}
    for field in (each for each in entry["layout"] if each["name"] in kept):
        await expect(page.locator("main")).to_contain_text(field["label"])
        if field["private"]:
            await expect(page.locator("main")).not_to_contain_text(field["example"])


async def test_the_hold_is_shown_and_parks_its_line_alone(visit: Visit, producer_account: Account, desk: Desk) -> None:
    """The notice stands above the form; an under 65 request opens On hold, another does not."""
    visitor = await visit()
    page = visitor.page
    await visitor.log_in(producer_account, FORM)
    text = await page.locator("main").inner_text()
    assert -1 < text.find(HOLD) < text.find("Download the Group POR Transfer Form") < text.find("Line of Business")
    for line, status in (("Individual under 65", "On hold"), ("Group medical", "Received")):
        await fill_in(page, line=line)
        await page.get_by_label("POR Documentation").set_input_files([PDF])
        await page.get_by_role("button", name="Submit").click()
        await expect(page.locator("#sent a")).to_be_visible()
        number = await page.locator("#sent a").inner_text()
        await expect(row(page, number)).to_contain_text(status)
        await visitor.open(FORM)


async def test_a_list_of_accounts_is_chosen_as_a_file_and_mended_in_the_page(
    visit: Visit, producer_account: Account, desk: Desk
) -> None:
    """A CSV file's rows get a verdict each, and stand in the page to be corrected there."""
    visitor = await visit()
    page = visitor.page
    await visitor.log_in(producer_account, "/assistance/book-transfer")
    [entry] = [each for each in desk.request_types() if each["request_type"] == "book-transfer"]
    await fill_in_examples(page, entry)
    await page.locator("#f-accounts").fill("")
    file: FilePayload = {"name": "accounts.csv", "mimeType": "text/csv", "buffer": WRONG_ROWS.encode()}
    await page.get_by_label("Accounts, as a CSV file").set_input_files([file])
    await page.get_by_role("button", name="Submit").click()
    rows = page.locator("#f-accounts")
    await expect(rows).to_have_accessible_description(re.compile("Row 3: An account number has six digits"))
    assert (await rows.input_value()).strip() == WRONG_ROWS.strip()
    await rows.fill(WRONG_ROWS.replace("\n12,", "\n000012,"))
    await page.get_by_role("button", name="Submit").click()
    number = await page.locator("#sent a").inner_text()
    ticket = desk.staff.ticket(number).json()
    assert [each["account_number"] for each in ticket["form"]["accounts"]] == ["041872", "000012"]
    assert desk.staff.letter(ticket["letters"][0]["letter_id"]).content == LETTER
