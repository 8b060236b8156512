"""The README's commands as a newcomer types them: in fresh clones, at once, and without root."""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.fixtures.processes import left_behind

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65534


def clone(folder: Path) -> Path:
    """A checkout of what is here, with nothing installed or made in it."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_file():
            shutil.copy2(ROOT / name, target)
    return folder


def make(folder: Path, target: str) -> subprocess.Popen[str]:
    """``make target``, started."""
    # The make that runs these tests must not hand its options down.
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "ARGS"))}
    env["COLUMNS"] = "80"
    return subprocess.Popen(
        ["make", target], cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.timeout(240)
def test_two_fresh_clones_run_the_demo_at_once(tmp_path: Path) -> None:
    """Two clones, one in a folder that only root may read, set up and tell the whole demo in 80 columns at once."""
    folders = [clone(tmp_path / name) for name in ("one", "two")]
    folders[1].chmod(0o700)
    runs = [make(folder, "demo") for folder in folders]
    for folder, run in zip(folders, runs, strict=True):
        out, err = run.communicate(timeout=220)
        assert run.returncode == 0, out[-2000:] + err[-2000:]
        last = json.loads(out.strip().splitlines()[-1])
        assert last["letter_matches"] is True
        assert last["survived_kill"] is True
        assert last["same_key_same_number"] is True
        assert last["status"] == "resolved"
        assert (last["mails"], last["events"]) == (5, 5)
        left = list((folder / ".local/demo").glob("mail-*.eml"))
        assert len(left) == 5
        assert len({mail.read_bytes() for mail in left}) == 5
        assert all(str(mail) in out for mail in left)
        assert out.count("por.ticket.status-changed.v1") == 3
        assert left_behind(folder) == []


def test_a_killed_make_takes_its_stack_along(tmp_path: Path) -> None:
    """Kill -9 of make itself ends the runner, and the runner's servers with it."""
    folder = clone(tmp_path / "killed")
    (folder / ".local").mkdir()
    shutil.copytree(ROOT / ".local/uv-venv", folder / ".local/uv-venv", symlinks=True)
    run = make(folder, "run")
    assert run.stdout is not None
    for line in run.stdout:
        if "Ctrl-C" in line:
            break
    run.send_signal(signal.SIGKILL)
    run.wait(timeout=10)
    assert left_behind(folder) == []


def test_without_root_the_missing_packages_are_named(tmp_path: Path) -> None:
    """Who may not install is told the exact command, and the exit status is 2."""
    folder = clone(tmp_path / "nobody")
    # In a mount namespace of its own, so that the package is missing for this process alone.
    # Nobody keeps the right to read, for the clone and Python may lie below root's home.
    hide = (
        "mount -t tmpfs none /usr/lib/rabbitmq && exec setpriv --reuid=$1 --clear-groups "
        "--inh-caps=+dac_read_search --ambient-caps=+dac_read_search sh ops/setup.sh"
    )
    run = subprocess.run(
        ["unshare", "--mount", "sh", "-c", hide, "sh", str(NOBODY)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert run.returncode == 2, run.stderr
    assert "apt-get install" in run.stderr
    assert "rabbitmq-server" in run.stderr
