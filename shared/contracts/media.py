"""The file types a letter may have, as the bytes tell them."""

PDF = "application/pdf"
EXTENSIONS = {PDF: "pdf", "image/png": "png", "image/jpeg": "jpg", "image/tiff": "tiff"}
LETTER_TYPES = frozenset(EXTENSIONS)
