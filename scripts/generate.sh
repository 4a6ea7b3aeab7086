#!/usr/bin/env bash
# Writes the files that the program itself knows best, or with --check fails when a committed one is out of date.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
require_rust

# file | arguments of `vouch` that print it
GENERATED=(
  "docs/config.example.toml|config example"
  "docs/openapi.json|openapi"
)

check=${1:-}
build_for_tests
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

stale=0
for entry in "${GENERATED[@]}"; do
  file=${entry%%|*}
  read -r -a arguments <<<"${entry#*|}"
  target/debug/vouch "${arguments[@]}" >"$scratch/new" </dev/null
  [ -s "$scratch/new" ] || die "\`vouch ${arguments[*]}\` printed nothing"
  if [ "$check" = --check ]; then
    if ! diff -u "$file" "$scratch/new" >"$scratch/diff"; then
      say "error: $file is out of date:"
      head -n 40 "$scratch/diff" >&2
      stale=1
    fi
  else
    cp "$scratch/new" "$file"
    say "wrote $file"
  fi
done
if [ "$stale" -ne 0 ]; then
  hint "make generate, then commit"
  exit 1
fi
