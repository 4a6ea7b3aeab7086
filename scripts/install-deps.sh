#!/usr/bin/env bash
# Installs the system packages that are missing, and says which. Does nothing, quickly, when all are there.
#
#   scripts/install-deps.sh build     compile Vouch
#   scripts/install-deps.sh runtime   run a compiled Vouch
#   scripts/install-deps.sh run       both (the default)
#   scripts/install-deps.sh test      both, and what the tests need
#   scripts/install-deps.sh image     what the container image has beside a compiled Vouch
#
# For Debian 12 and Ubuntu 22.04 and 24.04. The Dockerfile calls this script too, so both lists are this one.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

mode=${1:-run}

# ring and SQLite need a C compiler.
build_packages=(build-essential pkg-config)
# The languages of the default configuration; the fonts draw text, HTML and PDF documents that bring none.
runtime_packages=(ca-certificates tesseract-ocr tesseract-ocr-eng tesseract-ocr-chi-sim tesseract-ocr-deu fonts-noto-cjk fonts-dejavu-core)
# For the container's health check.
image_packages=(curl)
# The fixture generator draws with these fonts, and screenshots should look alike everywhere.
# strace and libeatmydata1: the order of syncs and acknowledgements is read from system calls.
# dovecot-imapd and swaks: mail is tested with an IMAP server and a sender of others.
test_packages=(fonts-noto-cjk fonts-dejavu fonts-liberation strace libeatmydata1 dovecot-imapd swaks)

wanted=()
case "$mode" in
  build) wanted+=("${build_packages[@]}") ;;
  runtime) wanted+=("${runtime_packages[@]}") ;;
  run) wanted+=("${build_packages[@]}" "${runtime_packages[@]}") ;;
  test) wanted+=("${build_packages[@]}" "${runtime_packages[@]}" "${test_packages[@]}") ;;
  image) wanted+=("${runtime_packages[@]}" "${image_packages[@]}") ;;
  *) die "unknown set \`$mode\`: use build, runtime, run, test or image" ;;
esac

command -v dpkg-query >/dev/null 2>&1 || {
  say "error: this is not Debian or Ubuntu, so packages cannot be installed by this script"
  hint "install the equivalents of: ${wanted[*]}"
  exit 1
}

distribution=$(. /etc/os-release && echo "${ID:-unknown}")

# dpkg-query prints `ii ` for a package that is installed and configured; it leaves unknown ones out and fails then.
installed=" $( (dpkg-query -W -f='${db:Status-Abbrev}${Package}\n' "${wanted[@]}" 2>/dev/null || true) | sed -n 's/^ii *//p' | tr '\n' ' ')"
missing=()
for package in "${wanted[@]}"; do
  [[ $installed == *" $package "* ]] || missing+=("$package")
done

# Programs that may also come from elsewhere (nodesource, postgresql.org, a snap) are looked up as programs.
if [ "$mode" != runtime ] && [ "$mode" != image ]; then
  # Only to fetch and unpack the recognition weights; the service itself needs no Python.
  command -v python3 >/dev/null 2>&1 || missing+=(python3)
  python3 -c 'import sys, importlib.util as i; sys.exit(i.find_spec("pip") is None)' 2>/dev/null || missing+=(python3-pip)
fi
if [ "$mode" = test ]; then
  command -v node >/dev/null 2>&1 || missing+=(nodejs)
  command -v npm >/dev/null 2>&1 || missing+=(npm)
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || command -v initdb >/dev/null 2>&1 || missing+=(postgresql)
  if ! command -v chromium >/dev/null 2>&1 && ! command -v chromium-browser >/dev/null 2>&1; then
    # Ubuntu's package is called chromium-browser (and brings the snap); Debian's is a plain package.
    if [ "$distribution" = ubuntu ]; then missing+=(chromium-browser); else missing+=(chromium); fi
  fi
fi

# Postfix's smtp-source sends test mail. Only unpacked: installed, Postfix would become this machine's mail server.
unpack_smtp_source() {
  [ "$mode" = test ] && [ ! -x target/peers/usr/sbin/smtp-source ] && ! command -v smtp-source >/dev/null 2>&1 || return 0
  say "Unpacking Postfix's smtp-source below target/peers"
  local scratch
  scratch=$(mktemp -d)
  (cd "$scratch" && apt-get download -qq postfix >/dev/null 2>&1 && dpkg -x postfix_*.deb unpacked) \
    && mkdir -p target/peers && cp -r "$scratch/unpacked/usr" target/peers/ \
    || say "warning: postfix could not be fetched; the test with smtp-source will be skipped"
  rm -rf "$scratch"
}

# aiosmtpd relays test mail; the distribution's package would bring fonts and themes for its manual.
unpack_aiosmtpd() {
  [ "$mode" = test ] && ! PYTHONPATH=target/peers/python python3 -c 'import aiosmtpd' 2>/dev/null || return 0
  say "Unpacking aiosmtpd below target/peers"
  python3 -m pip install --quiet --disable-pip-version-check --target target/peers/python aiosmtpd==1.4.6 \
    || say "warning: aiosmtpd could not be fetched; the test with it will be skipped"
}

unpack_peers() {
  unpack_smtp_source
  unpack_aiosmtpd
}

[ ${#missing[@]} -eq 0 ] && { unpack_peers; exit 0; }

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if command -v sudo >/dev/null 2>&1; then
    as_root=(sudo)
  else
    say "error: these packages are missing and neither root nor sudo is at hand: ${missing[*]}"
    hint "as root: apt-get install ${missing[*]}"
    exit 1
  fi
fi

say "Installing system packages: ${missing[*]}"

# Debian's postgresql package would start a server of its own on 5432; the tests start throw-away ones instead.
if [[ " ${missing[*]} " == *" postgresql "* ]] && [ ! -e /etc/postgresql-common ]; then
  "${as_root[@]}" mkdir -p /etc/postgresql-common/createcluster.d
  echo "create_main_cluster = false" | "${as_root[@]}" tee /etc/postgresql-common/createcluster.d/vouch.conf >/dev/null
fi

apt_options=(-qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
# An unreachable third-party source makes `update` fail although the distribution's lists are fine.
"${as_root[@]}" apt-get "${apt_options[@]}" update >/dev/null || say "warning: apt-get update reported errors; going on with the lists at hand"
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get "${apt_options[@]}" install -y --no-install-recommends "${missing[@]}" >&2
unpack_peers
