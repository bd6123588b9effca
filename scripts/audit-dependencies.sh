#!/usr/bin/env bash
# Write the bill of materials (CycloneDX) into a folder, and ask OSV and npm for known vulnerabilities of what is locked.
# scripts/audit-dependencies.sh FOLDER   Needs the network: CI runs it, `./test` does not.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
front_end="$root/src/leadflood/web/frontend"
source "$root/scripts/ensure-uv.sh"
folder=${1:?name a folder for the bill of materials}
mkdir -p "$folder"

"$uv" export --project "$root" --locked --quiet --no-dev --preview-features sbom-export \
  --format cyclonedx1.5 --output-file "$folder/python.cdx.json" >/dev/null
npm sbom --prefix "$front_end" --package-lock-only --sbom-format cyclonedx >"$folder/front-end.cdx.json"

failed=0
"$uv" audit --project "$root" --locked --no-dev --preview-features audit-command || failed=1
npm audit --prefix "$front_end" --package-lock-only || failed=1
exit "$failed"
