# Sourced by ./test, after scripts/ensure-uv.sh. Leaves the path of a browser in CHROMIUM, for tests of the pages.
# One that is named by CHROMIUM already, or on PATH, is used; else root installs Debian's on machines that have apt-get.

# The headless shell comes first: without a browser's own windows, the tests need a quarter less processor time.
# A name on PATH may be a stub that only says how to install the real one.
find_chromium() {
  local name names=(chromium-headless-shell chromium chromium-browser google-chrome google-chrome-stable)
  [[ -z ${CHROMIUM:-} ]] || names=("$CHROMIUM")
  for name in "${names[@]}"; do
    if "$name" --version >/dev/null 2>&1; then
      command -v "$name"
      return
    fi
  done
  return 1
}

install_chromium() {
  [[ -z ${CHROMIUM:-} ]] || fail "CHROMIUM=$CHROMIUM cannot be started. Let it name a Chromium or Chrome, or unset it."
  if [[ $(id -u) != 0 ]] || ! command -v apt-get >/dev/null; then
    fail "The pages are tested in Chromium, and none is on PATH. Install it (Debian: 'apt-get install chromium' as root), or name one by CHROMIUM=/path/to/chrome; then run this again."
  fi
  apt-get update -qq >&2
  local package=chromium-headless-shell
  apt-cache show "$package" >/dev/null 2>&1 || package=chromium # older releases
  echo "Installing $package ..." >&2
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >&2
}

if ! found=$(find_chromium); then
  lock
  find_chromium >/dev/null || install_chromium 9>&-
  unlock
  found=$(find_chromium) ||
    fail "There is no Chromium that starts, also after 'apt-get install chromium'. Name one by CHROMIUM=/path/to/chrome and run this again."
fi
export CHROMIUM="$found"
unset found
