#!/usr/bin/env bash
# Unpacks Debian packages into a folder, without root and without installing anything.
#   fetch_debian.sh [--suite SUITE] FOLDER PACKAGE...     of another release of Debian, from where this one's come
set -euo pipefail
die() { echo "error: $*" >&2; exit 1; }

suite=''
[ "${1:-}" != --suite ] || { suite=$2; shift 2; }
[ $# -ge 2 ] || die "usage: $0 [--suite SUITE] FOLDER PACKAGE..."
root=$1; shift
command -v apt-get dpkg-deb > /dev/null || die "$* cannot be fetched: there is no apt-get here"
mkdir -p "$root/debs"
root=$(cd "$root" && pwd)
apt=()
# Lists of packages of one's own, in the folder.
own_lists() {
    mkdir -p "$root"/apt/{state/lists/partial,cache/archives/partial}
    apt=(-o "Dir::State=$root/apt/state" -o "Dir::Cache=$root/apt/cache" -o Dir::State::status=/var/lib/dpkg/status)
    # shellcheck disable=SC2016
    [ -z "$suite" ] || {
        archive=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' | sort -u | head -n 1)
        [ -n "$archive" ] || die "apt names no archive of Debian; run apt-get update"
        echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $archive $suite main" > "$root/apt/sources.list"
        apt+=(-o "Dir::Etc::sourcelist=$root/apt/sources.list" -o Dir::Etc::sourceparts=-)
    }
    apt-get "${apt[@]}" -qq update
}
if [ -n "$suite" ] || ! apt-cache show "$1" > /dev/null 2>&1; then own_lists; fi
(cd "$root/debs" && apt-get "${apt[@]}" -qq download "$@" 2> "$root/apt.log") || die "$(cat "$root/apt.log")"
for package in "$root"/debs/*.deb; do dpkg-deb -x "$package" "$root"; done
rm -rf "$root/debs" "$root/apt" "$root/apt.log"
