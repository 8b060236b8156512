"""Write what `docker compose up` needs and no file in the repository may hold: passwords and a development key.

What is there already stays as it is, for the data in the volumes remember their passwords too.
"""

import secrets
import sys
from pathlib import Path

from ops.stack.files import write_private
from ops.stack.keys import field_keys, signing_key
from ops.tokens import AUDIENCE, ISSUER, Mint

FOLDER = ".local/compose"

SECRETS = (
    "POR_RABBITMQ_PASSWORD",
    "POR_MONGODB_ROOT_PASSWORD",
    "POR_MONGODB_TICKETS_PASSWORD",
    "POR_MONGODB_NOTIFIER_PASSWORD",
    "POR_MONGODB_KEY",
    "POR_MINIO_ROOT_PASSWORD",
    "POR_MINIO_INTAKE_SECRET_KEY",
    "POR_MINIO_DOCUMENTS_SECRET_KEY",
)

# With a key of its own the desk is a demonstration; services refuse that key in any other profile.
SETTINGS = {
    "POR_PROFILE": "local",
    "POR_JWT_KEYS": f"./{FOLDER}/jwks.json",
    "POR_FIELD_KEYS": f"./{FOLDER}/field-keys",
    "POR_JWT_ISSUER": ISSUER,
    "POR_JWT_AUDIENCE": AUDIENCE,
}


def make_env(root: Path) -> Mint:
    """Complete ``root``/.env and the development key; gives what mints tokens with it."""
    key = signing_key(root / FOLDER)
    # Read in the containers by a user that this machine does not know; others here do not get into the folder.
    key.jwks.chmod(0o644)
    field_keys(root / FOLDER).chmod(0o644)
    (root / FOLDER).chmod(0o700)
    env = root / ".env"
    kept = env.read_text() if env.exists() else "# Made by `make env` for docker compose.\n"
    if not kept.endswith("\n"):
        kept += "\n"
    known = {line.partition("=")[0].strip() for line in kept.splitlines()}
    wanted = SETTINGS | {name: secrets.token_hex(24) for name in SECRETS}
    added = "".join(f"{name}={value}\n" for name, value in wanted.items() if name not in known)
    write_private(env, kept + added)
    return Mint(key.private)


def main() -> None:
    """Write the files, then say what to do with them."""
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    mint = make_env(root)
    print(f"{root / '.env'} and {root / FOLDER} are ready: docker compose up --build")
    print(f"\nToken, producer P1001\n{mint.producer('P1001')}")
    print(f"\nToken, staff\n{mint.staff()}")


if __name__ == "__main__":
    main()
