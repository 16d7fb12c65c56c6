#!/bin/sh
# Trains the sweeps of sweeps/paper/ in small, and keeps what they come to beside this script, as `acai export` writes it:
#   record.sh PROGRAMS FOLDER    PROGRAMS has acai and acai-trainer, FOLDER is made, for what is not kept
# Real training, on the formats of the published datasets, of models far too small for far too short a time (two to four steps):
# the figures mean nothing, and the tables have the paper's shape.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
sweeps=$here/../../../sweeps/paper
mkdir "$2"
cd "$2"
python3 "$here/small_data.py" data
for sweep in lines classification clustering; do
    "$1/acai" run "$sweeps/$sweep.yaml" --data data --slots 2 --threads 1 \
        --set seeds=2 --set depth=2 --set codes=16 --set batch=64 --set lr=1e-3 \
        --set total_kimg=0.25 --set eval_kimg=0.125 --set kmeans_inits=2
    rm -rf "$here/paper-$sweep"
    "$1/acai" export "paper-$sweep" --no-files -o "$here/paper-$sweep"
    # What an import reads is kept.
    rm "$here/paper-$sweep/README.md" "$here/paper-$sweep"/results.*
done
