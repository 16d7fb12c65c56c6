#!/usr/bin/env bash
# Unpacks Debian packages into a folder, without root and without installing anything.
#   fetch_debian.sh FOLDER PACKAGE...
set -euo pipefail
die() { echo "error: $*" >&2; exit 1; }

[ $# -ge 2 ] || die "usage: $0 FOLDER PACKAGE..."
root=$1; shift
command -v apt-get dpkg-deb > /dev/null || die "$* cannot be fetched: there is no apt-get here"
mkdir -p "$root/debs"
root=$(cd "$root" && pwd)
apt=()
if ! apt-cache show "$1" > /dev/null 2>&1; then
    # Nobody has fetched the lists of packages yet: they go into the folder too.
    mkdir -p "$root"/apt/{state/lists/partial,cache/archives/partial}
    apt=(-o "Dir::State=$root/apt/state" -o "Dir::Cache=$root/apt/cache" -o Dir::State::status=/var/lib/dpkg/status)
    apt-get "${apt[@]}" -qq update
fi
(cd "$root/debs" && apt-get "${apt[@]}" -qq download "$@" 2> "$root/apt.log") || die "$(cat "$root/apt.log")"
for package in "$root"/debs/*.deb; do dpkg-deb -x "$package" "$root"; done
rm -rf "$root/debs" "$root/apt" "$root/apt.log"
