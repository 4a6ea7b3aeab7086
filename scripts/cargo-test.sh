#!/usr/bin/env bash
# Runs Rust tests with cargo-nextest, or with plain `cargo test` where that is not installed.
#
#   scripts/cargo-test.sh --lib money         the arguments are those both understand: target flags and a filter
set -euo pipefail
. "$(dirname "$0")/lib.sh"
require_rust

if cargo nextest --version >/dev/null 2>&1; then
  profile=default
  [ "${CI:-}" = true ] && profile=ci
  exec cargo nextest run --locked --profile "$profile" "$@"
fi
say "cargo-nextest is not installed; using cargo test"
exec cargo test --locked --no-fail-fast "$@"
