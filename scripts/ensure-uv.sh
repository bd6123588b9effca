# Sourced by ./up and ./test, with `root` set to the checkout. Leaves uv's path in `uv` and defines sync_venv.
# Needs nothing but bash and Python >= 3.11; writes nothing outside the checkout and uv's own cache.

export UV_PYTHON_DOWNLOADS=never UV_PROJECT_ENVIRONMENT="$root/.venv"
unset VIRTUAL_ENV
# Container images like to set it. Every process that is started would compile each module again, for seconds.
unset PYTHONDONTWRITEBYTECODE
if [[ -z ${UV_CACHE_DIR:-} && ! -w ${HOME:-/nonexistent} ]]; then
  export UV_CACHE_DIR="$root/.bootstrap-cache"
fi

fail() {
  printf 'error: %s\n' "$1" >&2
  exit 1
}

find_python() {
  local name
  for name in python3 python3.14 python3.13 python3.12 python3.11; do
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$name"
      return
    fi
  done
  fail "Python 3.11 or newer is needed and none is on PATH. Debian 12 or newer: apt-get install python3. Older systems: python.org/downloads or pyenv."
}

# One set-up at a time. The lock belongs to the open file, not to the process that takes it: it lasts until fd 9 closes.
lock() {
  exec 9<"$root/scripts/ensure-uv.sh"
  "$python" -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)'
}

unlock() {
  exec 9>&-
}

ensure_pip() {
  if "$python" -m pip --version >/dev/null 2>&1; then
    return
  fi
  if [[ $(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then
    fail "uv is needed, and pip to install it. Either 'apt-get install python3-pip' as root, or install uv (docs.astral.sh/uv) and put it on PATH; then run this again."
  fi
  echo "Installing python3-pip ..." >&2
  apt-get update -qq >&2
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-pip >&2
  "$python" -m pip --version >/dev/null 2>&1 ||
    fail "$python has no pip, also after 'apt-get install python3-pip'. Install uv (docs.astral.sh/uv), put it on PATH and run this again."
}

# --target leaves the system's Python alone, which PEP 668 asks for. The rename makes an interrupted install invisible.
install_uv() {
  ensure_pip
  echo "Installing uv into .bootstrap ..." >&2
  rm -rf "$root/.bootstrap" "$root/.bootstrap.new"
  "$python" -m pip install --quiet --disable-pip-version-check --no-warn-script-location --root-user-action=ignore \
    --target "$root/.bootstrap.new" uv >&2 || fail "pip could not install uv: see above. Is the package index reachable?"
  mv "$root/.bootstrap.new" "$root/.bootstrap"
}

# Args: those of `uv sync`. Without changes to the lock file it takes a few milliseconds.
sync_venv() {
  lock
  [[ -d $root/.venv ]] || echo "Installing packages into .venv ..." >&2
  "$uv" sync --project "$root" --locked --quiet "$@" 9>&- ||
    fail "uv could not install the packages of uv.lock: see above. Changed dependencies? Run 'uv lock'."
  unlock
}

python=$(find_python)
if ! uv=$(command -v uv); then
  uv="$root/.bootstrap/bin/uv"
  lock
  [[ -x $uv ]] || install_uv
  unlock
fi
