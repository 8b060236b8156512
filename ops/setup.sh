#!/bin/sh
# Installs what the desk needs and does not have: Debian packages, and .venv as uv.lock says. Does nothing when all is there.
# `tests` as argument: also the browser that only the tests need.
set -eu
cd "$(dirname "$0")/.."

UV_VERSION=0.13.9
PYTHON=${PYTHON:-python3}
FOR=${1:-run}
POLICY=/usr/sbin/policy-rc.d
MARK='# por-desk setup: start no service'

say() { printf '%s\n' "$*" >&2; }

# Files are asked, not dpkg: it is faster, and other distributions name their packages differently.
missing_packages() {
    [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || echo rabbitmq-server
    [ -x /usr/sbin/haproxy ] || echo haproxy # in front of a cluster
    PATH="$PATH:/usr/sbin:/sbin" ldconfig -p | grep -q 'libcurl\.so\.4 ' || echo libcurl4 # mongod needs it
    command -v curl >/dev/null || echo curl # the README's examples
    [ -x /usr/sbin/clamd ] || echo clamav-daemon # the tests of the scanner
    [ "$FOR" != tests ] || [ -x /usr/bin/chromium ] || echo chromium fonts-liberation
    [ -x .local/uv-venv/bin/uv ] || "$PYTHON" -c 'import ensurepip' 2>/dev/null || echo python3-venv
}

# Also puts right what a setup that was killed has left.
restore_policy() {
    if [ -e "$POLICY" ] && grep -qxF "$MARK" "$POLICY"; then rm -f "$POLICY"; fi
    if [ -e "$POLICY.por-desk" ]; then mv -f "$POLICY.por-desk" "$POLICY"; fi
}

# Debian starts a server as soon as it is installed; ours are started by the stack, on ports of its own.
forbid_service_starts() {
    restore_policy
    if [ -e "$POLICY" ]; then mv "$POLICY" "$POLICY.por-desk"; fi
    printf '#!/bin/sh\n%s\nexit 101\n' "$MARK" >"$POLICY"
    chmod 755 "$POLICY"
}

install_packages() {
    export DEBIAN_FRONTEND=noninteractive
    exec 9>/run/por-desk-setup.lock
    flock 9 # another clone may be setting up at the same time
    packages=$(missing_packages | tr '\n' ' ')
    [ "$packages" ] || return 0
    say "Installing Debian packages: $packages"
    trap restore_policy EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    forbid_service_starts
    # shellcheck disable=SC2086 # one word for each package
    { apt-get -q update && apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends $packages; } >&2 9>&-
    restore_policy
    exec 9>&-
}

"$PYTHON" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null || {
    say "Python 3.11, 3.12 or 3.13 is needed, but $PYTHON is: $("$PYTHON" --version 2>&1 | head -n 1)"
    say "Choose another one: PYTHON=python3.12 make setup"
    exit 2
}

packages=$(missing_packages | tr '\n' ' ')
if [ "$packages" ]; then
    if [ "$(id -u)" -ne 0 ]; then
        say "Missing Debian packages, which only root can install. Run this, then the same make command again:"
        say "  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${packages% }"
        exit 2
    fi
    install_packages
fi

# The folder belongs to the stamp: a virtual environment does not work after a move.
wanted=$({ pwd && cat uv.lock pyproject.toml; } | cksum)
[ "$(cat .venv/.setup-stamp 2>/dev/null || true)" = "$wanted" ] && exit 0

uv=.local/uv-venv/bin/uv
if [ "$("$uv" --version 2>/dev/null | cut -d ' ' -f 2)" != "$UV_VERSION" ]; then
    say "Fetching uv $UV_VERSION"
    "$PYTHON" -m venv --clear .local/uv-venv
    .local/uv-venv/bin/python -m pip install --quiet --disable-pip-version-check "uv==$UV_VERSION" >&2
fi
say "Making .venv from uv.lock"
# The machine's certificates, so that it works behind a proxy that looks into TLS; the machine's Python, never a fetched one.
# VIRTUAL_ENV may name another environment that happens to be active.
env -u VIRTUAL_ENV UV_PROJECT_ENVIRONMENT=.venv UV_SYSTEM_CERTS=1 UV_PYTHON_DOWNLOADS=never \
    "$uv" sync --quiet --frozen --python "$("$PYTHON" -c 'import sys; print(sys.executable)')" >&2
printf '%s\n' "$wanted" >.venv/.setup-stamp
