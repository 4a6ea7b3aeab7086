#!/usr/bin/env bash
# Builds the container image `vouch:latest` with whichever engine is at hand.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

for engine in docker podman; do
  if command -v $engine >/dev/null 2>&1 && $engine info >/dev/null 2>&1; then
    exec $engine build --tag vouch:latest "$@" .
  fi
done
say "error: no running Docker or Podman engine was found"
hint "install one, or run Vouch without a container: make run"
exit 1
