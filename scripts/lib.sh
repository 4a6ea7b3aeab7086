# shellcheck shell=bash
# Shared by the scripts beside it; sourced, never run.

# Scripts work from the repository's top level, wherever they are called from.
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

say() { printf '%s\n' "$*" >&2; }
hint() { printf 'hint: %s\n' "$*" >&2; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# rustup puts cargo here; a shell without a login profile does not know it.
if ! command -v cargo >/dev/null 2>&1 && [ -r "${HOME:-/root}/.cargo/env" ]; then
  # shellcheck disable=SC1091
  . "${HOME:-/root}/.cargo/env"
fi

require_rust() {
  if ! command -v cargo >/dev/null 2>&1; then
    say "error: cargo was not found"
    hint "install Rust from https://rustup.rs and open a new shell"
    exit 1
  fi
}

# A full disk fails in the middle of a compilation, in words that do not say so. First argument: gigabytes needed where
# nothing is built yet. What is already built counts as there.
require_disk() {
  local target=target free built
  mkdir -p "$target"
  free=$(df -Pk "$target" | awk 'NR == 2 { print int($4 / 1048576) }')
  built=$(du -sk "$target" 2>/dev/null | awk '{ print int($1 / 1048576) }')
  if [ $((free + built)) -lt "$1" ]; then
    say "error: $free GB are free for $target, and a build from nothing takes $1 GB ($built GB are there already)"
    hint "make room on that disk, or make \`target\` a link to one with room"
    exit 1
  fi
}

# Builds target/debug/vouch exactly as the tests do. `cargo build --bin vouch` would choose fewer features without the
# development dependencies, and compile a hundred crates a second time.
build_for_tests() {
  require_rust
  cargo build --workspace --tests --locked
}
