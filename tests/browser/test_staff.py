"""The staff's way through the portal, in a real browser before the real desk."""

import re

from playwright.async_api import FilePayload, expect

from tests.browser.steps import FORM, fill_in_examples, move, row, send, text_of
from tests.fixtures.desk import LETTER, Desk
from tests.fixtures.portal import BANKER, COLLEAGUE, STAFF, Account, Visit, Visitor

BETTER: FilePayload = {"name": "better.pdf", "mimeType": "application/pdf", "buffer": LETTER + b"\n%"}
WORDS = "Page 2 is not signed. Please have it signed & dated."


async def test_from_the_queue_to_action_needed_to_a_new_letter_to_resolved(
    visit: Visit, producer_account: Account, desk: Desk
) -> None:
    """Staff claims a ticket, asks in its own words for a better letter, gets it, and resolves the ticket."""
    producer, staff = await visit(), await visit()
    await producer.log_in(producer_account, FORM)
    number = await send(producer.page)

    await staff.log_in(STAFF)
    page = staff.page
    await expect(page.locator("h1")).to_have_text("Queue")
    await page.get_by_label("Number").fill(number)
    await page.get_by_role("button", name="Show").click()
    await expect(page.locator("#tickets")).to_contain_text("Showing 1 - 1 of 1")
    await row(page, number).get_by_role("link").click()
    for words in (producer_account.producer_id or "", producer_account.name, producer_account.email):
        await expect(page.locator("#head")).to_contain_text(words)
    letter = page.locator("iframe")
    await page.get_by_role("button", name="Claim").click()
    await expect(page.locator("#assignment")).to_contain_text("Worked by: Ruth Okafor")

    await move(page, "action-needed", comment="Page 2, please.")
    await expect(page.locator("#problem")).to_contain_text(re.compile("reason", re.IGNORECASE))
    await expect(page.locator("#problem")).to_be_in_viewport()
    await expect(page.get_by_label("Comment")).to_have_value("Page 2, please.")
    await page.get_by_label("Reason").select_option("signature-missing")
    await expect(page.get_by_label("Text for the mail")).to_have_value("The letter is not signed and dated.")
    await page.get_by_label("Text for the mail").fill(WORDS)
    await page.get_by_role("button", name="Move").click()
    await expect(page.locator("h1")).to_contain_text("Action needed")
    mailed = text_of(desk, number, "Action needed", 2)
    assert WORDS in mailed
    assert "The letter is not signed and dated." not in mailed

    await row(producer.page, number).get_by_role("link").click()
    for words in (WORDS, "Page 2, please.", "Carrier staff"):
        await expect(producer.page.locator(".timeline")).to_contain_text(words)
    await expect(producer.page.locator("main")).not_to_contain_text("Ruth")
    await producer.page.get_by_label("New letter").set_input_files([BETTER])
    await producer.page.get_by_label("Comment").fill("Signed by the CFO.")
    await producer.page.get_by_role("button", name="Send").click()
    await expect(producer.page.locator("#sent")).to_contain_text("We have received your letter.")
    await expect(producer.page.locator(".letters")).to_contain_text("better.pdf")
    await expect(producer.page.locator("h1")).to_contain_text("In review")

    await staff.open("/desk?answered=true&assignee=me")
    await row(page, number).get_by_role("link").click()
    await expect(letter).to_have_attribute("title", "better.pdf")
    await expect(page.locator("#history")).to_contain_text("Signed by the CFO.")
    await page.get_by_role("link", name="show beside").first.click()
    await expect(letter).to_have_attribute("title", "signed letter.pdf")
    for status, label in (("approved", "Approved"), ("resolved", "Resolved")):
        await move(page, status)
        await expect(page.locator("h1")).to_contain_text(label)
    await expect(page.get_by_label("New status")).to_have_count(0)
    await staff.open(f"/desk?search={number}")
    await expect(page.locator("#tickets")).to_contain_text("Showing 0 - 0 of 0")
    await staff.open(f"/desk?search={number}&state=closed")
    await expect(row(page, number)).to_contain_text("Resolved")


async def test_the_letter_stands_beside_the_request(visit: Visit, producer_account: Account) -> None:
    """The letter is shown as it was sent, in a frame that only the portal's own pages may have."""
    producer, staff = await visit(), await visit()
    await producer.log_in(producer_account, FORM)
    number = await send(producer.page)
    await staff.log_in(STAFF, f"/desk/{number}")
    letter = staff.page.locator("iframe")
    shown = await staff.page.request.get(staff.url + (await letter.get_attribute("src") or "").partition("#")[0])
    assert await shown.body() == LETTER
    assert shown.headers["content-type"] == "application/pdf"
    assert shown.headers["content-disposition"] == "inline"
    assert "frame-ancestors 'self'" in shown.headers["content-security-policy"]


async def test_nobody_works_over_a_colleagues_change(visit: Visit, producer_account: Account, desk: Desk) -> None:
    """A page shows what a colleague does; a move by what it showed before does nothing and says so, closed or not."""
    producer, staff = await visit(), await visit()
    await producer.log_in(producer_account, FORM)
    number = await send(producer.page)
    await staff.log_in(STAFF, f"/desk/{number}")
    await expect(staff.page.locator("h1")).to_contain_text(number)
    mail = staff.page.locator("#head").get_by_role("link", name=producer_account.email)
    await mail.focus()
    desk.staff.move(number, "on-hold", reason="waiting-for-carrier", comment="Ask underwriting.")
    await expect(staff.page.locator("h1")).to_contain_text("On hold")
    await expect(staff.page.locator("#history")).to_contain_text("Ask underwriting.")
    await expect(mail).to_be_focused()
    await move(staff.page, "in-review")
    await expect(staff.page.locator("#problem")).to_be_visible()
    await expect(staff.page.locator("h1")).to_contain_text("On hold")

    desk.staff.move(number, "rejected", reason="other")
    await move(staff.page, "in-review", comment="It is complete.")
    await expect(staff.page.locator("#problem")).to_be_in_viewport()
    await expect(staff.page.get_by_label("Comment")).to_have_value("It is complete.")


async def test_a_ticket_goes_from_hand_to_hand_and_notes_stay_where_they_belong(
    visit: Visit, producer_account: Account, desk: Desk
) -> None:
    """Claimed, given to a colleague, given back; a note for staff stays there, one for the producer is mailed."""
    producer, staff = await visit(), await visit()
    await producer.log_in(producer_account, FORM)
    number = await send(producer.page)
    await staff.log_in(STAFF, f"/desk/{number}")
    page, hands = staff.page, staff.page.locator("#assignment")
    await page.get_by_role("button", name="Claim").click()
    await expect(hands).to_contain_text(STAFF.name)
    await page.get_by_label("Give to").select_option(COLLEAGUE.user_id)
    await page.get_by_role("button", name="Reassign").click()
    await expect(hands).to_contain_text(COLLEAGUE.name)
    await staff.open(f"/desk?assignee={COLLEAGUE.user_id}")
    await expect(row(page, number)).to_contain_text(COLLEAGUE.name)
    await row(page, number).get_by_role("link").click()
    await page.get_by_role("button", name="Release").click()
    await expect(hands).to_contain_text("Nobody")

    for audience, words in (("Staff only", "The signer has left."), ("The producer", "We are waiting for the group.")):
        await page.get_by_label("Note").fill(words)
        await page.get_by_label(audience).check()
        await page.get_by_role("button", name="Add the note").dblclick()
        await expect(page.get_by_label("Note")).to_have_value("")
        await expect(page.locator("#history .said").filter(has_text=words)).to_have_count(1)
    for words in ("Claimed", f"Given to {COLLEAGUE.name}", "Given back to all", "Note for staff", STAFF.name):
        await expect(page.locator("#history")).to_contain_text(words)
    assert "We are waiting for the group." in text_of(desk, number, "Received", 2)
    await producer.open(f"/tickets/{number}")
    await expect(producer.page.locator(".timeline")).to_contain_text("We are waiting for the group.")
    for words in ("The signer has left.", STAFF.name, "Claimed"):
        await expect(producer.page.locator("main")).not_to_contain_text(words)
    assert len(desk.mails(number, 2)) == 2


async def test_nothing_that_staff_typed_is_lost_while_the_desk_is_away(
    visit: Visit, producer_account: Account, desk: Desk
) -> None:
    """With tickets away, and after the session has ended, the page of the ticket stays, and is sent a moment later."""
    producer, staff = await visit(), await visit()
    await producer.log_in(producer_account, FORM)
    number = await send(producer.page)
    await staff.log_in(STAFF, f"/desk/{number}")
    page = staff.page
    await page.get_by_label("New status").select_option("on-hold")
    await page.get_by_label("Reason").select_option("other")
    await page.get_by_label("Text for the mail").fill(WORDS)
    problem, button = page.locator("#problem"), page.get_by_role("button", name="Move")
    desk.stack["tickets"].stop()
    try:
        await button.click()
        await expect(problem).to_contain_text("Nothing is lost", timeout=20_000)
        await expect(problem).to_be_in_viewport()
    finally:
        desk.restart("tickets")
    await page.context.clear_cookies()
    await button.click()
    await expect(problem).to_contain_text("Log in again in another tab")
    await expect(page.get_by_label("Text for the mail")).to_have_value(WORDS)
    other = Visitor(staff.url, await page.context.new_page())
    await other.log_in(STAFF)
    await button.click()
    await expect(page.locator("h1")).to_contain_text("On hold")
    await expect(page.locator("#history")).to_contain_text(WORDS)


async def test_two_who_ask_for_the_same_are_linked(visit: Visit, producer_account: Account, desk: Desk) -> None:
    """Staff sees that a request is contested, in the queue and on its page, and goes from one to the other."""
    producer, staff = await visit(), await visit()
    await producer.log_in(producer_account, FORM)
    number = await send(producer.page)
    rival = desk.producer().open_ticket()
    await staff.log_in(STAFF, f"/desk?search={rival}&contested=true")
    await expect(row(staff.page, rival)).to_contain_text("Contested")
    desk.staff.move(rival, "in-review")
    await expect(row(staff.page, rival)).to_contain_text("In review")
    await row(staff.page, rival).get_by_role("link").click()
    await staff.page.locator("#head").get_by_role("link", name=number).click()
    await expect(staff.page.locator("h1")).to_contain_text(number)


async def test_a_reasons_text_can_be_edited_without_scripts(visit: Visit, producer_account: Account) -> None:
    """A button brings the reason's text into the form, where it is edited and sent; an error is where one looks."""
    producer, staff = await visit(), await visit(has_scripts=False, is_phone=True)
    await producer.log_in(producer_account, FORM)
    number = await send(producer.page)
    await staff.log_in(STAFF, f"/desk/{number}")
    page = staff.page
    await move(page, "on-hold")
    await expect(page.locator("#problem")).to_be_in_viewport()
    await page.get_by_label("Reason").select_option("waiting-for-carrier")
    await page.get_by_role("button", name="Edit the reason's text").click()
    text = page.get_by_label("Text for the mail")
    await expect(text).to_have_value("We are waiting for another department.")
    await expect(page.get_by_label("New status")).to_have_value("on-hold")
    await text.fill("We wait for underwriting.")
    await page.get_by_role("button", name="Edit the reason's text").click()
    await expect(text).to_have_value("We wait for underwriting.")
    await page.get_by_role("button", name="Move").click()
    await expect(page.locator("h1")).to_contain_text("On hold")
    await expect(page.locator("#history")).to_contain_text("We wait for underwriting.")


async def test_bank_details_are_shown_to_who_may_read_them(visit: Visit, producer_account: Account, desk: Desk) -> None:
    """Staff sees a mask; with the right of its own a button shows the numbers, once, and the document too."""
    producer, staff, banker = await visit(), await visit(), await visit()
    [entry] = [each for each in desk.request_types() if each["request_type"] == "eft-info"]
    await producer.log_in(producer_account, "/assistance/eft-info")
    await fill_in_examples(producer.page, entry)
    await producer.page.get_by_role("button", name="Submit").click()
    number = await producer.page.locator("#sent a").inner_text()

    await staff.log_in(STAFF, f"/desk/{number}")
    await expect(staff.page.locator("main")).to_contain_text("This document has bank details.")
    await expect(staff.page.get_by_role("button", name="Show bank details")).to_have_count(0)
    await banker.log_in(BANKER, f"/desk/{number}")
    await expect(banker.page.locator("iframe")).to_be_visible()
    await expect(banker.page.locator("main")).not_to_contain_text("000123456789")
    await banker.page.get_by_role("button", name="Show bank details").click()
    for digits in ("111000025", "000123456789"):
        await expect(banker.page.locator("main")).to_contain_text(digits)
        await expect(staff.page.locator("main")).not_to_contain_text(digits)
    await banker.open(f"/desk/{number}")
    await expect(banker.page.locator("main")).not_to_contain_text("000123456789")
