#!/usr/bin/env bash
# Fails on a dependency whose licence is not on the list in deny.toml, on a banned crate, or on a second TLS stack.
# cargo-deny does it where it is installed; otherwise `cargo metadata` and a few lines of Python do, offline.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
require_rust

if cargo deny --version >/dev/null 2>&1; then
  # Advisories need the network: `cargo deny check advisories` is run by hand and before a release.
  exec cargo deny --offline --locked --workspace check bans licenses sources
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# Without the filter, cargo would download what only other operating systems need.
host=$(rustc -vV | sed -n 's/^host: //p')
cargo metadata --format-version 1 --locked --filter-platform "$host" >"$scratch/metadata.json"
python3 scripts/licences.py deny.toml "$scratch/metadata.json"
