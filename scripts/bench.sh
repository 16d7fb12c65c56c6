#!/bin/sh
# Speed of the trainer's step beside eager PyTorch in one run, and the memory of an idle coordinator.
set -eu
cd "$(dirname "$0")/.."

if [ ! -x .venv/bin/python ]; then
    python3 -m venv .venv
fi
.venv/bin/python -c 'import torch' 2>/dev/null || .venv/bin/pip install --quiet torch==2.11.0 numpy
.venv/bin/python trainer/benches/eager.py "$@"

folder=$(mktemp -d)
target/release/acai coordinator --db "sqlite:$folder/acai.db" --listen 127.0.0.1:0 2>"$folder/log" &
coordinator=$!
trap 'kill $coordinator; rm -rf "$folder"' EXIT
until grep -q 'http://' "$folder/log"; do sleep 0.1; done
awk '/^VmRSS/ { printf "acai coordinator, idle: %.1f MiB resident\n", $2 / 1024 }' "/proc/$coordinator/status"
