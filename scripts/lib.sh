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

# Builds target/debug/vouch exactly as the tests do. `cargo build --bin vouch` would choose fewer features without the
# development dependencies, and compile a hundred crates a second time.
build_for_tests() {
  require_rust
  cargo build --workspace --tests --locked
}
