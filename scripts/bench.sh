#!/usr/bin/env bash
# Acknowledgements and mails a second beside what the disk can do, accuracy and seconds per receipt (one table per source,
# over directories with a labels.jsonl), then documents a second per format:
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
# Mail beside the same floor, and a mailbox of 50,000 messages in which nothing changed. Both print an error below
# their goal; the other figures follow all the same.
cargo run --release --locked --example mail_rate -- "${TMPDIR:-/tmp}" || say "mail is below its goal, see above"
VOUCH_TEST_BIG=1 cargo test --locked --test it -- --nocapture an_unchanged_box_of_fifty_thousand ||
  say "a mailbox is polled more slowly than its goal, see above"
cargo build --release --locked --bin vouch
target/release/vouch eval "${directories[@]}"
# The networks by themselves, each arithmetic against rten's.
weights=${VOUCH_WEIGHTS_DIR:-models/weights}
if [ -d "$weights" ]; then
  cargo run --release --locked --quiet --package vouch-networks --example rate -- "$weights" ||
    say "the networks could not be timed; scripts/fetch-weights.sh installs their weights"
fi
# Documents that know their values: how many a second the role `parse` takes apart on one core, and what looking for codes
# costs a photo.
cargo run --release --locked --quiet --example parse_speed -- target/release/vouch
if command -v python3 >/dev/null && command -v tesseract >/dev/null; then
  exec python3 scripts/speed.py "${directories[@]}"
fi
say "no comparison of speed: python3 and tesseract are needed for it"
