#!/bin/sh
# Puts faults of the agent and the service back, one at a time, and shows how many seeds of the simulation it takes to
# notice each, which are not told what to look for. Works on a copy of the last commit, with release builds.
# Usage: museum/seeds.sh [PART OF A NAME [SEEDS AT THE MOST [FIRST SEED [SECONDS AT THE MOST]]]]
set -eu
cd "$(dirname "$0")/.."

root=$PWD
copy=target/museum/seeds
log=$root/target/museum/seeds.log
program=$root/target/museum/acai-simulate
: "${CARGO_TARGET_DIR:=$root/target/museum/build}"
# Each fault is a few lines: what has not changed is not built again.
CARGO_INCREMENTAL=1
export CARGO_TARGET_DIR CARGO_INCREMENTAL
git worktree remove --force $copy 2>/dev/null || true
git worktree add --quiet --detach --force $copy HEAD
trap 'git -C "$root" worktree remove --force "$root/$copy"' EXIT
cd $copy

hunt() { # PATCH SEEDS FIRST SECONDS
    git apply "$1" 2>"$log" || { echo "    does not apply"; return; }
    if ! cargo build --release --locked -p acai-simulation >"$log" 2>&1; then
        echo "    does not build"
    else
        cp "$CARGO_TARGET_DIR/release/acai-simulate" "$program"
        "$program" --seeds "$3..$(($3 + $2))" --within "$4" --first --tries 0 \
            --logs "$root/target/museum/logs" >"$log" 2>&1 || true
        sed -n 's/^  VIOLATION: /    /p' "$log" | cut -c1-150 | head -n 2
        printf '    '
        tail -n 1 "$log"
    fi
    git checkout --quiet -- .
}

for patch in "$root"/museum/seeds/*${1-}*.patch; do
    basename "$patch" .patch
    hunt "$patch" "${2-2000}" "${3-400000}" "${4-180}"
done
