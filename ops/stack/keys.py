"""The development signing key: made once per stack folder, known to nobody else."""

import base64
import json
from dataclasses import dataclass
from pathlib import Path

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from ops.stack.files import write_private
from ops.tokens import KEY_ID


@dataclass(frozen=True)
class SigningKey:
    """Paths of the private key (PEM) and of the public key as the services read it (JWKS)."""

    private: Path
    jwks: Path


def signing_key(folder: Path) -> SigningKey:
    """The folder's key, made on first use."""
    key = SigningKey(folder / "signing-key.pem", folder / "jwks.json")
    if key.private.exists() and key.jwks.exists():
        return key
    secret = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = {
        **RSAAlgorithm.to_jwk(secret.public_key(), as_dict=True),
        "kid": KEY_ID,
        "use": "sig",
        "alg": "RS256",
    }
    public.pop("key_ops", None)  # RFC 7517: not together with "use"
    pem = secret.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write_private(key.private, pem.decode())
    write_private(key.jwks, json.dumps({"keys": [public]}))
    return key


def field_keys(folder: Path) -> Path:
    """The file with the folder's key of private fields, made on first use: what is kept needs it ever after."""
    path = folder / "field-keys"
    if not path.exists():
        write_private(path, f"{Fernet.generate_key().decode()}\n")
    return path


def private_key_text(pem: Path) -> str:
    """A private key on one line, as the portal takes it: PKCS #8 in base64."""
    secret = serialization.load_pem_private_key(pem.read_bytes(), password=None)
    der = secret.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return base64.b64encode(der).decode()
