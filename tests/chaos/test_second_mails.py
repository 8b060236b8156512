"""What excuses a second mail about one event: a fault right between the first copy and its mark, and nothing else."""

from dataclasses import replace

import pytest

from services.notifier.ledger import CALL_SECONDS
from tests.chaos.balanced import attempts, findings
from tests.chaos.journal import Fault
from tests.chaos.ledger import DOUBT_SECONDS, judge
from tests.chaos.world import SETTINGS, strikes_mail

FAULTS = {
    "near to the first": (Fault("kill notifier", 14, 14, strikes_mail=True), True),
    "as the first is under way": (Fault("kill notifier", 9.5, 9.5, strikes_mail=True), True),
    "over all that time": (Fault("smtp away", 2, 30, strikes_mail=True), True),
    "long before": (Fault("smtp away", 2, 8, strikes_mail=True), False),
    "when the first has its mark": (Fault("kill notifier", 17, 17, strikes_mail=True), False),
    "after the second": (Fault("kill notifier", 24, 24, strikes_mail=True), False),
    "of no mail": (Fault("kill tickets", 14, 14), False),
    "of this mail": (Fault("after-250", 10, 10, strikes_mail=True, mails=frozenset({"e1"})), True),
    "of other mails": (Fault("after-250", 10, 10, strikes_mail=True, mails=frozenset({"e2", "e3"})), False),
}


@pytest.mark.parametrize("when", FAULTS)
def test_a_second_mail_is_permitted_only_where_a_fault_came_between_the_first_and_its_mark(when: str) -> None:
    """A copy counts apart where its sender or their servers were struck right then, and as a duplicate elsewhere."""
    found, (fault, permitted) = findings(), FAULTS[when]
    found.mails.append(replace(found.mails[0], at=20.0))
    verdict = judge(attempts(), found, [fault])
    assert (verdict.passed, verdict.second_mails) == ((True, 1) if permitted else (False, 0))


def test_a_third_mail_needs_an_excuse_of_its_own() -> None:
    """What let a second copy out excuses no third one."""
    found = findings()
    found.mails += [replace(found.mails[0], at=20.0), replace(found.mails[0], at=30.0)]
    verdict = judge(attempts(), found, [Fault("kill notifier", 14, 14, strikes_mail=True)])
    assert len(verdict.duplicated) == 1


def test_the_time_without_a_mark_is_that_of_the_services() -> None:
    """No mail in the box is without its mark for longer than notifier's own limits allow."""
    assert float(SETTINGS["POR_SMTP_TIMEOUT"]) + CALL_SECONDS == DOUBT_SECONDS


@pytest.mark.parametrize(
    ("part", "does"),
    [("notifier", True), ("smtp", True), ("mongodb-2", True), ("rabbitmq-1", False), ("tickets", False)],
)
def test_a_broken_promise_is_excused_only_by_what_may_break_it(part: str, *, does: bool) -> None:
    """A second mail is permitted by notifier, its mail server or its database: by no broker, and no other service."""
    assert strikes_mail(part) is does
