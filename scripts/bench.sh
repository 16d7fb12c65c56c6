#!/bin/sh
# Memory of an idle coordinator.
set -eu
cd "$(dirname "$0")/.."

folder=$(mktemp -d)
target/release/acai coordinator --db "sqlite:$folder/acai.db" --listen 127.0.0.1:0 2>"$folder/log" &
coordinator=$!
trap 'kill $coordinator; rm -rf "$folder"' EXIT
until grep -q 'http://' "$folder/log"; do sleep 0.1; done
awk '/^VmRSS/ { printf "acai coordinator, idle: %.1f MiB resident\n", $2 / 1024 }' "/proc/$coordinator/status"
