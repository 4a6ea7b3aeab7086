#!/usr/bin/env bash
# Runs everything, or the stages named:
#
#   scripts/test.sh                       all stages, in this order
#   scripts/test.sh fmt clippy            only these
#
# A failed stage does not stop the next one: all failures are reported together, and the exit code says whether any was.
set -uo pipefail
. "$(dirname "$0")/lib.sh"

ALL_STAGES=(deps weights fmt clippy tests generated licences browser)

# Exit code of a stage that had nothing to do here; it says why itself. Not a success in CI unless the stage says so.
SKIPPED=77

stage_deps() { require_rust && scripts/install-deps.sh test; }

stage_weights() {
  [ -x scripts/fetch-weights.sh ] || return $SKIPPED
  scripts/fetch-weights.sh && return 0
  say "The recognition weights could not be installed; tests of that engine are left out and Tesseract reads."
  return $SKIPPED
}

stage_fmt() { cargo fmt --all --check; }

stage_clippy() { cargo clippy --workspace --all-targets --locked -- -D warnings; }

# Unit, store (on both databases), process and architecture tests: one run, one integration-test binary.
stage_tests() { VOUCH_TEST_REQUIRE_ALL=1 scripts/with-postgres.sh scripts/cargo-test.sh --workspace; }

stage_architecture() { scripts/cargo-test.sh --test it architecture; }

stage_generated() { scripts/generate.sh --check; }

stage_licences() { scripts/licences.sh; }

stage_browser() { scripts/browser-test.sh; }

stages=("$@")
if [ ${#stages[@]} -eq 0 ]; then
  require_disk 9
  stages=("${ALL_STAGES[@]}")
fi
for stage in "${stages[@]}"; do
  declare -F "stage_$stage" >/dev/null || die "unknown stage \`$stage\`: choose from ${ALL_STAGES[*]} architecture"
done

# A tool that is not there is a clear message once, not one failure in each stage.
require_rust

report=()
passed=0 failed=0 skipped=0
started=$SECONDS
for stage in "${stages[@]}"; do
  say ""
  say "==> $stage"
  from=$SECONDS
  "stage_$stage"
  status=$?
  took=$((SECONDS - from))
  case $status in
    0) verdict=ok passed=$((passed + 1)) ;;
    "$SKIPPED") verdict=skipped skipped=$((skipped + 1)) ;;
    130 | 143) exit "$status" ;;
    *) verdict=FAILED failed=$((failed + 1)) ;;
  esac
  report+=("$(printf '  %-12s %-8s %4d s' "$stage" "$verdict" "$took")")
done

echo ""
printf '%s\n' "${report[@]}"
printf '  %-12s %-8s %4d s\n' total "" $((SECONDS - started))
echo "stages: $passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
