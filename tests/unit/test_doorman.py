"""How often a caller may ask, by a clock of the test's own; and how many places there are."""

from contextlib import ExitStack

import pytest

from services.intake.doorman import FIRST_SWEEP, Allowance
from services.intake.places import Places
from shared.runtime.problems import Problem


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    """At once as many as the burst; then one per token's time, and the wait that is told is the wait that it takes."""
    allowance = Allowance(per_second=4, burst=3)
    assert [allowance.take("a", 100.0) for _ in range(3)] == [0.0] * 3
    assert allowance.take("a", 100.0) == pytest.approx(0.25)
    assert allowance.take("a", 100.2) == pytest.approx(0.05)
    assert allowance.take("a", 100.25) == 0.0
    assert allowance.take("a", 100.25) > 0


def test_who_is_refused_pays_nothing() -> None:
    """However often one asks in vain, the next token comes when it would have come."""
    allowance = Allowance(per_second=1, burst=1)
    assert allowance.take("a", 0.0) == 0.0
    assert all(allowance.take("a", 0.5) == pytest.approx(0.5) for _ in range(1000))
    assert allowance.take("a", 1.0) == 0.0


def test_a_bucket_never_holds_more_than_its_burst() -> None:
    """Who was away for a day may not make up for it."""
    allowance = Allowance(per_second=1, burst=2)
    allowance.take("a", 0.0)
    assert [allowance.take("a", 86400.0) for _ in range(2)] == [0.0, 0.0]
    assert allowance.take("a", 86400.0) > 0


def test_rates_hold_over_many_requests() -> None:
    """A caller at exactly his rate is never refused, whatever adding up fractions does."""
    allowance = Allowance(per_second=3, burst=1)
    assert not any(allowance.take("a", 1e6 + n / 3) for n in range(10_000))


def test_callers_do_not_share() -> None:
    """One caller's bucket is no other's."""
    allowance = Allowance(per_second=1, burst=1)
    assert (allowance.take("a", 0.0), allowance.take("b", 0.0)) == (0.0, 0.0)
    assert allowance.take("a", 0.0) > 0


def test_buckets_of_callers_long_gone_are_dropped() -> None:
    """A hundred thousand callers in a day leave no more behind than those whose buckets are not full."""
    allowance = Allowance(per_second=1, burst=10)
    for n in range(100_000):
        allowance.take(str(n), float(n))
    assert len(allowance) <= FIRST_SWEEP + 1


def refused(places: Places, caller: str) -> int:
    """The status with which an upload finds no place."""
    with pytest.raises(Problem) as raised, places.place(caller):
        pass
    assert int(raised.value.headers["Retry-After"]) > 0
    return raised.value.status


def test_one_caller_has_half_of_the_places() -> None:
    """His own fault is 429, a full house 503; a place is free when its upload ends, also where it fails."""
    places = Places(4, "uploads")
    with ExitStack() as taken:
        for _ in range(2):
            taken.enter_context(places.place("a"))
        assert refused(places, "a") == 429
        for _ in range(2):
            taken.enter_context(places.place("b"))
        assert refused(places, "c") == 503
    with pytest.raises(KeyError), places.place("a"):
        raise KeyError
    with places.place("a"), places.place("a"):
        assert refused(places, "a") == 429


def test_there_is_always_a_place_for_one() -> None:
    """Of a single place half is one."""
    with Places(1, "downloads").place("a"):
        pass
