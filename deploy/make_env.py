"""Write what `docker compose up` needs and no file in the repository may hold: passwords and a development key.

What is there already stays as it is, for the data in the volumes remember their passwords too.
"""

import secrets
import sys
from pathlib import Path

from ops.stack.connections import Login
from ops.stack.files import write_private
from ops.stack.keys import field_keys, private_key_text, signing_key
from ops.stack.portal import make_users
from ops.tokens import AUDIENCE, ISSUER, Mint

FOLDER = ".compose"  # not in .local, which `make clean` removes: what is kept is lost without its keys

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
    "PORTAL_USERS": f"./{FOLDER}/users.json",
}


def make_env(root: Path) -> Mint:
    """Complete ``root``/.env and the development key; gives what mints tokens with it.

    Raises:
        SystemExit: the keys of an .env that is there are gone.
    """
    env = root / ".env"
    kept = env.read_text() if env.exists() else "# Made by `make env` for docker compose.\n"
    if not kept.endswith("\n"):
        kept += "\n"
    known = {line.partition("=")[0].strip() for line in kept.splitlines()}
    _require_keys(root / FOLDER, known)
    key = signing_key(root / FOLDER)
    # Read in the containers by a user that this machine does not know; others here do not get into the folder.
    key.jwks.chmod(0o644)
    field_keys(root / FOLDER).chmod(0o644)
    (root / FOLDER).chmod(0o700)
    made = {name: secrets.token_hex(24) for name in SECRETS}
    wanted = SETTINGS | made | {"PORTAL_SIGNING_KEY": private_key_text(key.private)}
    added = "".join(f"{name}={value}\n" for name, value in wanted.items() if name not in known)
    write_private(env, kept + added)
    return Mint(key.private)


def _require_keys(folder: Path, known: set[str]) -> None:
    """New keys beside an old .env would open nothing of what is kept, and sign nobody in."""
    missing = [name for name in ("signing-key.pem", "jwks.json", "field-keys") if not (folder / name).exists()]
    if "PORTAL_SIGNING_KEY" in known and missing:
        sys.exit(
            f".env is there, but {', '.join(str(folder / name) for name in missing)} not. Restore the folder from a "
            "backup; or, to start again with no data, run: docker compose down --volumes && rm .env"
        )


def make_logins(root: Path) -> tuple[Login, ...]:
    """The portal's users, and what to log in with; nobody where they are there already."""
    users = root / FOLDER / "users.json"
    if users.exists():
        return ()
    logins = make_users(users)
    users.chmod(0o644)  # hashes only, read in the container by a user that this machine does not know
    return logins


def main() -> None:
    """Write the files, then say what to do with them."""
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    mint, logins = make_env(root), make_logins(root)
    print(f"{root / '.env'} and {root / FOLDER} are ready: docker compose up --build")
    for login in logins:
        print(f"Portal, {login.role}: {login.user_id}  {login.password}")
    print(f"\nToken, producer P1001\n{mint.producer('P1001')}")
    print(f"\nToken, staff\n{mint.staff()}")


if __name__ == "__main__":
    main()
