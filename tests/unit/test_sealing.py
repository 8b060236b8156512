"""Private fields: sealed, shown as a mask, opened again, and no hash gives them away."""

import hashlib
import json
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from services.intake.catalogue import load_catalogue
from services.intake.sealing import KeptRequest, Sealer, read_keys
from shared.contracts.requests import Form
from shared.runtime.problems import Problem
from shared.runtime.settings import ConfigurationError
from tests.builders import form, letter, submission

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
KIND = load_catalogue(None, "Portal").types["eft-info"]
FORM: Form = KIND.read(KIND.example)[0]
ROUTING, ACCOUNT = "111000025", "000123456789"
LETTERS = (letter(),)


def kept(sealer: Sealer) -> KeptRequest:
    """A request with bank details as it is kept."""
    shown, sealed = sealer.seal(KIND, FORM)
    facts = submission(form=shown, letters=LETTERS, fingerprint=sealer.fingerprint(FORM, LETTERS))
    return KeptRequest(**facts.model_dump(), sealed=sealed)


def test_what_is_kept_and_published_has_no_digits() -> None:
    """The private fields are masks beside what is encrypted; what is published has no more than the masks."""
    request = kept(Sealer([OLD]))
    assert request.form["bank_account_number"] == "ends in 6789"
    assert request.form["routing_number"] == "kept encrypted"
    assert request.form["bank_name"] == "First Harbor Bank"
    assert set(request.sealed) == {"routing_number", "bank_account_number"}
    for text in (request.model_dump_json(), request.published.model_dump_json()):
        assert ROUTING not in text
        assert ACCOUNT not in text
    assert "sealed" not in request.published.model_dump_json()


def test_what_was_sealed_is_opened() -> None:
    """Who has the key reads what was typed."""
    sealer = Sealer([OLD])
    assert sealer.open(kept(sealer).sealed) == {"routing_number": ROUTING, "bank_account_number": ACCOUNT}


def test_after_a_rotation_old_requests_are_read_and_are_retries() -> None:
    """With a new key before the old one, what the old one sealed is opened, and the same form is the same request."""
    request, rotated = kept(Sealer([OLD])), Sealer([NEW, OLD])
    assert rotated.open(request.sealed)["routing_number"] == ROUTING
    assert rotated.fingerprint_of(request) == rotated.fingerprint(FORM, LETTERS)
    with pytest.raises(Problem, match="field-key-missing"):
        Sealer([OLD]).open(kept(rotated).sealed)


def test_without_its_key_nothing_is_opened() -> None:
    """A key that was taken out too early is told from a broken request."""
    with pytest.raises(Problem, match="field-key-missing"):
        Sealer([NEW]).open(kept(Sealer([OLD])).sealed)


def test_a_fingerprint_tells_nothing_without_the_key() -> None:
    """Who guesses the digits cannot check his guess: the hash is another under each key, and no plain one."""
    prints = {Sealer([key]).fingerprint(FORM, LETTERS) for key in (OLD, NEW)}
    content = {"form": FORM, "letters": LETTERS[0].sha256}
    assert len(prints) == 2
    assert hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest() not in prints


def test_a_retry_has_the_same_fingerprint() -> None:
    """The same form with the same bytes, in whatever order and under whatever name, is a retry."""
    sealer, first, second = Sealer([OLD]), letter(b"one"), letter(b"two")
    renamed = letter(b"two", filename="other.pdf")
    assert sealer.fingerprint(form(), (first, second)) == sealer.fingerprint(form(), (renamed, first))


@pytest.mark.parametrize("name", ["account_number", "account_name", "effective_date", "comments", "line_of_business"])
def test_another_form_has_another_fingerprint(name: str) -> None:
    """A key used again for another form is noticed, whichever field differs or is left out."""
    sealer = Sealer([OLD])
    prints = {sealer.fingerprint(form(**{name: value}), LETTERS) for value in (None, "other", form()[name])}
    assert len(prints) == 3


def test_another_letter_has_another_fingerprint() -> None:
    """A key used again for another letter is noticed."""
    sealer = Sealer([OLD])
    assert sealer.fingerprint(form(), (letter(b"one"),)) != sealer.fingerprint(form(), (letter(b"two"),))


@pytest.mark.parametrize(
    "text", [None, "", "no key\n", f"{OLD}\nshort\n"], ids=["no file", "empty", "no key", "one too short"]
)
def test_a_file_without_keys_is_refused(tmp_path: Path, text: str | None) -> None:
    """A key file that is missing, empty or broken keeps the service from starting, and says how to make a key."""
    path = tmp_path / "keys"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigurationError, match="generate_key") as refused:
        read_keys(path)
    assert OLD not in str(refused.value)


def test_keys_are_read_in_their_order(tmp_path: Path) -> None:
    """One key in each line, the newest first."""
    (tmp_path / "keys").write_text(f"{NEW}\n{OLD}\n")
    assert read_keys(tmp_path / "keys") == [NEW, OLD]
