#!/bin/sh
# Speed of the trainer's step beside eager PyTorch, in one run; arguments are those of trainer/eager/bench.py.
set -eu
cd "$(dirname "$0")/.."

if [ ! -x .venv/bin/python ]; then
    python3 -m venv .venv
fi
.venv/bin/python -c 'import torch' 2>/dev/null || .venv/bin/pip install --quiet torch==2.11.0 numpy
exec .venv/bin/python trainer/eager/bench.py "$@"
