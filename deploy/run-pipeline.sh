#!/usr/bin/env bash
# What .github/workflows/deploy-environment.yml runs: ACTION, ENVIRONMENT, DIGEST and DEPLOY_ID become arguments.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=${GITHUB_REPOSITORY:?}
arguments=(--environment "${ENVIRONMENT:?}" --image "${REGISTRY:-ghcr.io}/${repository,,}" --deploy-id "${DEPLOY_ID:?}")
if [[ -n ${DIGEST:-} ]]; then
  arguments+=(--digest "$DIGEST")
elif [[ ${ACTION:?} == release ]]; then
  arguments+=(--digest-of staging-good)
fi
exec python3 "$here/pipeline" "${ACTION:?}" "${arguments[@]}" "$@"
