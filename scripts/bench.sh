#!/usr/bin/env bash
# Acknowledgements a second beside what the disk can do, then accuracy and seconds per receipt, one table per source,
# over directories with a labels.jsonl:
#
#   scripts/bench.sh DIR…                 without arguments: those under ../shared/corpus, when it is there
set -euo pipefail
. "$(dirname "$0")/lib.sh"
require_rust

directories=("$@")
if [ ${#directories[@]} -eq 0 ]; then
  for labels in fixtures/receipts/labels.jsonl ../shared/corpus/*/labels.jsonl; do
    [ -e "$labels" ] && directories+=("$(dirname "$labels")")
  done
fi
if [ ${#directories[@]} -eq 0 ]; then
  say "error: no directory with a labels.jsonl was named, and none was found"
  hint "make bench DIRS='my/receipts other/receipts'"
  exit 1
fi
cargo run --release --locked --example ack_rate -- "${TMPDIR:-/tmp}"
cargo build --release --locked --bin vouch
exec target/release/vouch eval "${directories[@]}"
