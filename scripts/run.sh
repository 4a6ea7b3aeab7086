#!/usr/bin/env bash
# Installs what is missing, builds, and starts Vouch on the embedded default with its data in ./data.
# Arguments go to `vouch serve`; VOUCH_DATA_DIR chooses another data directory, VOUCH_CONFIG names a configuration.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
require_rust

scripts/install-deps.sh run
if [ -x scripts/fetch-weights.sh ]; then
  scripts/fetch-weights.sh || say "warning: the recognition weights could not be installed; Vouch reads with Tesseract"
fi

require_disk 3
[ -x target/release/vouch ] || say "Building Vouch; the first build takes a while."
cargo build --release --locked --bin vouch

exec target/release/vouch serve "$@"
