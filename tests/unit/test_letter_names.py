"""The name under which a letter is served: for people and file systems alike what the bytes are."""

from urllib.parse import unquote

import pytest

from services.documents.routes import _headers
from tests.builders import checked


def served(filename: str, media_type: str = "application/pdf") -> tuple[str, str]:
    """The plain name of a letter and the one that is the producer's."""
    disposition = _headers(checked(filename=filename, media_type=media_type))["Content-Disposition"]
    assert disposition.isascii()
    plain, _, own = disposition.partition("; filename*=UTF-8''")
    return plain, unquote(own)


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("invoice.exe", "invoice.pdf"),
        ("../../evil.hta", "evil.pdf"),
        ("C:\\temp\\evil.hta", "evil.pdf"),
        ("evil.hta. .", "evil.pdf"),
        ("a/..", "letter.pdf"),
        (".htaccess", "htaccess.pdf"),
        (".pdf", "letter.pdf"),
        ("..", "letter.pdf"),
        (" ", "letter.pdf"),
        ("", "letter.pdf"),
        ("two\u202efdp.exe", "twofdp.pdf"),
        ("a\r\nb\x00.pdf", "ab.pdf"),
    ],
)
def test_a_name_cannot_deceive(sent: str, name: str) -> None:
    """Programs' extensions, paths, leading dots, control and bidi characters are not served; nothing left is letter."""
    assert served(sent) == ('attachment; filename="letter.pdf"', name)


@pytest.mark.parametrize(
    ("sent", "media_type", "name"),
    [
        ("report.PDF", "application/pdf", "report.pdf"),
        ("scan.jpeg", "image/jpeg", "scan.jpg"),
        ("x.tif", "image/tiff", "x.tiff"),
        ("scan.pdf", "image/png", "scan.png"),
        ("letter", "application/pdf", "letter.pdf"),
        ("Brief für Müller v1.2.pdf", "application/pdf", "Brief für Müller v1.2.pdf"),
        ("Brief v1.2", "application/pdf", "Brief v1.2.pdf"),
        ("St. Mary", "application/pdf", "St. Mary.pdf"),
        ("手紙.pdf", "application/pdf", "手紙.pdf"),
        ("letter.pdf", "application/zip", "letter.bin"),
        ("run.exe", "application/octet-stream", "run.bin"),
    ],
)
def test_a_name_ends_as_the_bytes_say(sent: str, media_type: str, name: str) -> None:
    """The producer's words stay in any script, and the one extension is that of the real type, bin where it is none."""
    plain, own = served(sent, media_type)
    assert own == name
    assert plain == f'attachment; filename="letter.{name.rpartition(".")[2]}"'
