"""The deployment files fit the services: checked by foreign tools, and against the settings classes."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import threading
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.make_env import make_env, make_logins
from portal.identity import Identity
from portal.settings import PortalSettings
from portal.settings import read_settings as read_portal_settings
from portal.tokens import Mint
from services.documents.settings import DocumentsSettings
from services.intake.settings import IntakeSettings
from services.notifier.settings import NotifierSettings
from services.tickets.settings import TicketsSettings
from shared.runtime.auth import TokenVerifier
from shared.runtime.settings import ConfigurationError, ServiceSettings, read_settings

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = ROOT / "Dockerfile"
TOOLS = Path(sys.executable).parent

SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text())["services"]
SETTINGS: dict[str, type[ServiceSettings]] = {
    "intake": IntakeSettings,
    "documents": DocumentsSettings,
    "tickets": TicketsSettings,
    "notifier": NotifierSettings,
}
PORTAL, ONCE = "portal", "object-store-init"

REQUIRED = re.compile(r"\$\{(\w+):\?[^}]+\}")
VARIABLE = re.compile(r"\$\{(\w+)(?::([?-])([^}]*))?\}")
SECRET_NAME = re.compile(r"(PASS|PASSWORD|SECRET|(?<!ACCESS)_KEY)$")
URL_PASSWORD = re.compile(r"://[^/@:]*:(.+)@")


def environment(name: str) -> dict[str, str]:
    """What the file gives to one service."""
    return dict(SERVICES[name].get("environment", {}))


def interpolated(value: str, variables: dict[str, str]) -> str:
    """The value as compose would give it: required variables must be there, others may default."""
    return VARIABLE.sub(lambda v: variables.get(v[1], v[3]) if v[2] == "-" else variables[v[1]], value)


def made_env(folder: Path) -> dict[str, str]:
    """The variables that `make env` writes."""
    make_env(folder)
    lines = (folder / ".env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if not line.startswith("#"))


def run(*argv: str | Path) -> None:
    """Run a tool; what it complains of is what the test fails with."""
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_foreign_tools_find_nothing_wrong() -> None:
    """The compose specification's schema accepts docker-compose.yml, hadolint the Dockerfile, nothing switched off."""
    run(TOOLS / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", COMPOSE)
    run(TOOLS / "hadolint", "--no-color", "--disable-ignore-pragma", "--failure-threshold", "style", DOCKERFILE)


def test_docker_compose_reads_the_file(tmp_path: Path) -> None:
    """Where the compose plugin is installed, it accepts the file with what `make env` writes."""
    asked = ["docker", "compose", "version"]
    if not shutil.which("docker") or subprocess.run(asked, capture_output=True, check=False).returncode:
        pytest.skip("no docker compose plugin")
    made_env(tmp_path)
    run("docker", "compose", "--file", COMPOSE, "--env-file", tmp_path / ".env", "config", "-q")


def test_every_image_and_tool_is_pinned() -> None:
    """Each image, bases of the Dockerfile included, has a full version as tag; uv is that of the local setup."""
    dockerfile, setup = DOCKERFILE.read_text(), (ROOT / "ops/setup.sh").read_text()
    assert re.findall(r"uv==(\S+)", dockerfile) == re.findall(r"^UV_VERSION=(\S+)", setup, re.MULTILINE)
    bases = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    for image in [*bases, *(service["image"] for service in SERVICES.values())]:
        tag = image.rpartition("/")[2].partition(":")[2]
        assert re.search(r"\d+\.\d+\.\d+|RELEASE\.\d{4}-\d\d-\d\d", tag), image


def test_image_holds_the_services_and_nothing_else() -> None:
    """The build context admits what the Dockerfile copies, and only that."""
    lines = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE.read_text(), re.MULTILINE)
    copied = set(" ".join(lines).split())
    admitted = set(re.findall(r"^!(\S+)", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    assert all((ROOT / source).exists() for source in copied)
    assert copied == admitted - {"deploy"}


@pytest.mark.parametrize("name", [*SETTINGS, PORTAL, ONCE])
def test_ours_run_confined_from_one_image(name: str) -> None:
    """Our containers: one image, a numeric user that is not root, read-only, no capability, no way to more."""
    service = SERVICES[name]
    assert service["image"] == SERVICES["intake"]["image"]
    assert f"USER {service['user']}\n" in DOCKERFILE.read_text()
    assert int(service["user"].partition(":")[0]) > 0
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["stop_grace_period"] == "30s"
    assert all(volume in ["uploads:/tmp", "portal:/tmp"] or volume["read_only"] for volume in service["volumes"])


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - {ONCE}))
def test_long_running_services_are_watched_waited_for_and_restarted(name: str) -> None:
    """Each has a health check, a restart policy, and starts on servers that are ready, not only starting."""
    service = SERVICES[name]
    assert service["healthcheck"]["test"][0] == "CMD"
    assert service["restart"] == "unless-stopped"
    assert service["security_opt"] == ["no-new-privileges:true"]
    for other, how in service.get("depends_on", {}).items():
        assert how["condition"] == f"service_{'completed_successfully' if other == ONCE else 'healthy'}"


def test_only_the_gateway_the_portal_and_two_consoles_are_published() -> None:
    """Of ours only intake and portal have a port outside, and by default nothing leaves this machine."""
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published.keys() == {"intake", "portal", "rabbitmq", "mailpit"}
    assert all(interpolated(port, {}).startswith("127.0.0.1:") for ports in published.values() for port in ports)


@pytest.mark.parametrize("name", SETTINGS)
def test_command_and_variables_are_those_the_service_knows(name: str) -> None:
    """The command is a module that exists; each variable is a setting; each required setting is given."""
    module = f"services.{name}.main"
    assert SERVICES[name]["command"] == ["python", "-m", module]
    assert importlib.util.find_spec(module) is not None
    fields = SETTINGS[name].model_fields
    required = {f"POR_{field.upper()}" for field, info in fields.items() if info.is_required()}
    assert required <= environment(name).keys() <= {f"POR_{field.upper()}" for field in fields}


@pytest.mark.parametrize("name", SETTINGS)
def test_service_accepts_its_settings(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what `make env` wrote the service configures itself; out of the local profile it refuses."""
    variables = made_env(tmp_path)
    for variable in (each for each in tuple(os.environ) if each.startswith("POR_")):
        monkeypatch.delenv(variable)
    for variable, value in environment(name).items():
        monkeypatch.setenv(variable, interpolated(value, variables))
    mount = SERVICES[name]["volumes"][0]
    assert mount["target"] == environment(name)["POR_JWT_KEY_FILE"]
    key_file = tmp_path / interpolated(mount["source"], variables)
    assert key_file.stat().st_mode & 0o777 == 0o644, "the container's user must read it"
    monkeypatch.setenv("POR_JWT_KEY_FILE", str(key_file))

    settings = read_settings(SETTINGS[name])
    TokenVerifier(settings)
    assert settings.host == "0.0.0.0"
    assert f"EXPOSE {settings.port}\n" in DOCKERFILE.read_text()
    with pytest.raises(ConfigurationError, match="development key"):
        TokenVerifier(settings.model_copy(update={"profile": "production"}))


def test_the_portal_accepts_its_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what `make env` wrote the portal configures itself, and mails lead to its tickets; users are made once."""
    assert SERVICES[PORTAL]["command"] == ["python", "-m", "portal.main"]
    variables = made_env(tmp_path)
    logins = make_logins(tmp_path)
    assert make_logins(tmp_path) == ()
    assert [login.role for login in logins] == ["producer", "producer", "staff", "staff"]
    users = SERVICES[PORTAL]["volumes"][0]
    assert users["target"] == environment(PORTAL)["PORTAL_USERS_FILE"]
    users_file = tmp_path / interpolated(users["source"], variables)
    assert users_file.stat().st_mode & 0o777 == 0o644, "the container's user must read it"
    assert not any(login.password in users_file.read_text() for login in logins)
    for variable, value in environment(PORTAL).items():
        monkeypatch.setenv(variable, interpolated(value, variables))

    settings = read_portal_settings()
    Mint(settings)
    assert Identity(users_file, tmp_path).find(logins[0].user_id)
    assert (settings.host, f"EXPOSE {settings.port}\n" in DOCKERFILE.read_text()) == ("0.0.0.0", True)
    fields = {f"PORTAL_{field.upper()}" for field in PortalSettings.model_fields}
    assert environment(PORTAL).keys() <= fields
    assert interpolated(environment("notifier")["POR_PORTAL_URL"], {}) == f"{settings.url}/tickets"


def test_no_secret_is_in_the_file() -> None:
    """Whatever is named like a secret, and each password in a URL, is one required variable."""
    found = set()
    for name in SERVICES:
        for variable, value in environment(name).items():
            password = URL_PASSWORD.search(value)
            if password or SECRET_NAME.search(variable):
                assert REQUIRED.fullmatch(password[1] if password else value), (name, variable)
                found.add(variable)
    assert {"POR_AMQP_URL", "POR_MONGODB_URL", "POR_S3_SECRET_KEY", "MONGODB_KEY"} <= found
    assert not re.search(r"PASS|SECRET|KEY|TOKEN", DOCKERFILE.read_text())


def test_make_env_writes_what_the_file_requires(tmp_path: Path) -> None:
    """All required variables and no others, each secret its own, private, kept when made again, ignored by git."""
    variables = made_env(tmp_path)
    assert variables.keys() == set(REQUIRED.findall(COMPOSE.read_text()))
    secrets = [value for name, value in variables.items() if SECRET_NAME.search(name)]
    assert len(secrets) == len(set(secrets)) == 9
    assert min(map(len, secrets)) >= 32
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
    assert made_env(tmp_path) == variables
    assert {".env", ".compose/"} <= set((ROOT / ".gitignore").read_text().split())


def test_make_env_makes_no_new_keys_beside_an_old_env(tmp_path: Path) -> None:
    """Where the keys are gone, and .env and perhaps the volumes are not, nothing is made and the way out is said."""
    variables = made_env(tmp_path)
    (tmp_path / ".compose" / "field-keys").unlink()
    with pytest.raises(SystemExit, match="field-keys not"):
        make_env(tmp_path)
    assert not (tmp_path / ".compose" / "field-keys").exists()
    (tmp_path / ".env").unlink()
    assert made_env(tmp_path).keys() == variables.keys()


@pytest.mark.parametrize(("path", "code"), [("/readyz", 0), ("/other", 1)])
def test_healthcheck_tells_ready_from_not(path: str, code: int, tmp_path: Path) -> None:
    """The image's check exits 0 on 200 and 1 on anything else, whatever proxy is set."""
    (tmp_path / "readyz").touch()
    with HTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=tmp_path)) as server:
        threading.Thread(target=server.handle_request).start()
        env = {"POR_PORT": str(server.server_port), "http_proxy": "http://127.0.0.1:9"}
        argv = [sys.executable, "deploy/healthcheck.py", path]
        assert subprocess.run(argv, cwd=ROOT, env=env, timeout=30, check=False).returncode == code
