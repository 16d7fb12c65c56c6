#!/bin/sh
# Puts historic faults back, one at a time, and shows that a test fails for each: green tests may also be blind.
# Each *.patch says what the fault is, and which test must notice it. Works on a copy of the last commit.
set -eu
cd "$(dirname "$0")/.."

root=$PWD
copy=target/museum/copy
git worktree remove --force $copy 2>/dev/null || true
git worktree add --quiet --detach --force $copy HEAD
trap 'git -C "$root" worktree remove --force "$root/$copy"' EXIT
for fetched in .postgres .libtorch; do
    [ -e $fetched ] && ln -s "$root/$fetched" $copy/$fetched
done
export CARGO_TARGET_DIR="$root/target/museum/build" CI=true RUST_BACKTRACE=0
cd $copy

passes() { # COMMAND: whether its tests build and pass, and there are any
    $1 >"$root/target/museum/log" 2>&1 </dev/null && grep -q '^test result: ok. [1-9]' "$root/target/museum/log"
}

judge() { # COMMAND: whether the test fails, and not because it does not build
    $1 --no-run >"$root/target/museum/log" 2>&1 || { echo "does not build"; return; }
    if passes "$1"; then echo "NOT NOTICED"; else echo noticed; fi
}

status=0
# What fails without any fault notices none.
sed -n 's/^test: //p' "$root"/museum/*${1-}*.patch | sort -u | while read -r command; do
    passes "$command" || { echo "fails as it is: $command" >&2; exit 1; }
done
for patch in "$root"/museum/*${1-}*.patch; do
    git apply "$patch"
    result=$(judge "$(sed -n 's/^test: //p' "$patch")")
    git checkout --quiet -- .
    printf '%-40s %s\n' "$(basename "$patch" .patch)" "$result"
    [ "$result" = noticed ] || status=1
done
exit $status
