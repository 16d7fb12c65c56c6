#!/bin/sh
# Puts faults of the agent and the service back, one at a time, and shows how many seeds of the simulation it takes to
# notice each, which are not told what to look for. Works on a copy of the last commit.
# Usage: museum/seeds.sh [PART OF A NAME [SEEDS AT THE MOST [FIRST SEED]]]
set -eu
cd "$(dirname "$0")/.."

root=$PWD
copy=target/museum/seeds
log=$root/target/museum/seeds.log
program=$root/target/museum/acai-simulate
: "${CARGO_TARGET_DIR:=$root/target/museum/build}"
export CARGO_TARGET_DIR
git worktree remove --force $copy 2>/dev/null || true
git worktree add --quiet --detach --force $copy HEAD
trap 'git -C "$root" worktree remove --force "$root/$copy"' EXIT
cd $copy

hunt() { # PATCH
    git apply "$1" 2>"$log" || { echo "does not apply"; return; }
    if ! cargo build --locked --workspace --bin acai-simulate >"$log" 2>&1; then
        echo "does not build"
    else
        first=${3:-0}
        cp "$CARGO_TARGET_DIR/debug/acai-simulate" "$program"
        "$program" --seeds "$first..$((first + ${2:-100}))" --first --tries 0 \
            --logs "$root/target/museum/logs" >"$log" 2>&1 || true
        sed -n 's/^  VIOLATION: /    /p' "$log" | cut -c1-150 | head -n 2
        tail -n 1 "$log"
    fi
    git checkout --quiet -- .
}

for patch in "$root"/museum/seeds/*${1-}*.patch; do
    echo "$(basename "$patch" .patch)"
    hunt "$patch" "${2-100}" "${3-0}"
done
