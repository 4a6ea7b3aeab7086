#!/usr/bin/env bash
# Runs a command beside a throw-away PostgreSQL (14 or later) and removes it afterwards, whatever happens:
#
#   scripts/with-postgres.sh cargo nextest run
#
# The command finds the server in VOUCH_TEST_POSTGRES_URL (a superuser: tests make their own databases or schemas).
# When that is set already, it is used as it is and no server is started.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

[ $# -gt 0 ] || die "no command given: scripts/with-postgres.sh CMD [ARG…]"
[ -z "${VOUCH_TEST_POSTGRES_URL:-}" ] || exec "$@"

# How many ports are tried before giving up; each is drawn from the range no service is assigned to.
PORT_TRIES=20

bin=""
for candidate in $(compgen -G '/usr/lib/postgresql/*/bin' | sort -rV) "$(dirname "$(command -v initdb || echo /nonexistent/initdb)")"; do
  if [ -x "$candidate/initdb" ] && [ -x "$candidate/pg_ctl" ]; then bin=$candidate && break; fi
done
if [ -z "$bin" ]; then
  say "error: no PostgreSQL server was found in /usr/lib/postgresql/*/bin or on the PATH"
  hint "scripts/install-deps.sh test"
  exit 1
fi

# PostgreSQL refuses to run as root, so root hands it to an account without rights.
as_server=()
server_user=$(id -un)
if [ "$(id -u)" -eq 0 ]; then
  server_user=postgres
  id -u postgres >/dev/null 2>&1 || server_user=nobody
  as_server=(setpriv "--reuid=$server_user" "--regid=$(id -g "$server_user")" --clear-groups env HOME=/tmp)
fi

# Not under TMPDIR or the work tree: the server's account must be able to reach it.
home=$(mktemp -d /tmp/vouch-postgres.XXXXXX)
chmod 755 "$home"
child=""

stop() {
  local status=$?
  trap - EXIT INT TERM HUP
  if [ -n "$child" ] && kill -0 "$child" 2>/dev/null; then
    kill -TERM -- "-$child" 2>/dev/null || true
    wait "$child" 2>/dev/null || true
  fi
  if [ -s "$home/server/data/postmaster.pid" ]; then
    (cd / && "${as_server[@]}" "$bin/pg_ctl" -D "$home/server/data" -m immediate -w stop) >/dev/null 2>&1 || true
  fi
  rm -rf "$home"
  exit "$status"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 129' HUP

mkdir "$home/server"
password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
(umask 077 && printf '%s' "$password" >"$home/server/password")
if [ "$(id -u)" -eq 0 ]; then chown -R "$server_user" "$home/server"; fi

if ! (cd / && "${as_server[@]}" "$bin/initdb" -D "$home/server/data" -U vouch -E UTF8 --locale=C \
  -A scram-sha-256 --pwfile="$home/server/password" --no-sync) >"$home/initdb.log" 2>&1; then
  cat "$home/initdb.log" >&2
  die "initdb of $bin failed"
fi

# A crash may lose the data, which is thrown away anyway: durability off makes the suite several times faster.
"${as_server[@]}" tee -a "$home/server/data/postgresql.conf" >/dev/null <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = '$home/server'
fsync = off
synchronous_commit = off
full_page_writes = off
max_connections = 300
max_locks_per_transaction = 512
autovacuum_naptime = 1min
log_min_messages = warning
timezone = 'UTC'
CONF

port=""
for ((try = 0; try < PORT_TRIES; try++)); do
  candidate=$((20000 + RANDOM % 12000))
  if (cd / && "${as_server[@]}" "$bin/pg_ctl" -D "$home/server/data" -o "-p $candidate" -l "$home/server/log" -w -t 60 start) >/dev/null 2>&1; then
    port=$candidate
    break
  fi
  grep -qi 'address already in use' "$home/server/log" || break
done
if [ -z "$port" ]; then
  tail -n 20 "$home/server/log" >&2 || true
  die "PostgreSQL of $bin did not start"
fi

export VOUCH_TEST_POSTGRES_URL="postgres://vouch:$password@127.0.0.1:$port/postgres"

# In the background, so that a signal reaches the trap while the command runs, and as a process group of its own,
# so that the trap can end the command with everything it started.
set -m
"$@" </dev/null &
child=$!
set +m
status=0
wait "$child" || status=$?
child=""
exit "$status"
