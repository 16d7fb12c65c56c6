#!/bin/sh
# Puts historic faults back, one at a time, and shows that a test fails for each: green tests may also be blind.
# Each *.patch says what the fault is, and which test must notice it. Works on a copy of the last commit.
# Usage, after `make libtorch postgres`: museum/run.sh [PART OF A NAME], such as `museum/run.sh 04`; all of them: `make museum`.
# With CARGO_TARGET_DIR=target what `make test` built of others' crates is not built again.
set -eu
cd "$(dirname "$0")/.."

root=$PWD
copy=target/museum/copy
log=$root/target/museum/log
git worktree remove --force $copy 2>/dev/null || true
git worktree add --quiet --detach --force $copy HEAD
trap 'git -C "$root" worktree remove --force "$root/$copy"' EXIT
[ -e .postgres ] && ln -s "$root/.postgres" $copy/.postgres
case ${CARGO_TARGET_DIR:=target/museum/build} in
    /*) ;;
    *) CARGO_TARGET_DIR=$root/$CARGO_TARGET_DIR ;;
esac
: "${LIBTORCH:=$root/.libtorch/2.11.0}"
export CARGO_TARGET_DIR LIBTORCH CI=true RUST_BACKTRACE=0
cd $copy

run() { # COMMAND...: with the features of the whole workspace, so that what all crates depend on is built once
    "$@" --workspace --locked >"$log" 2>&1 </dev/null
}

passes() { # COMMAND: whether its tests build and pass, and there are any
    run $1 && grep -q '^test result: ok. [1-9]' "$log"
}

judge() { # PATCH: whether its test fails, and not because the fault does not fit the code or does not build
    git apply "$1" 2>"$log" || { echo "does not apply"; return; }
    command=$(sed -n 's/^test: //p' "$1")
    if ! run $command --no-run; then
        echo "does not build"
    elif passes "$command"; then
        echo "NOT NOTICED"
    else
        echo noticed
    fi
    git checkout --quiet -- .
}

status=0
# What fails without any fault notices none.
sed -n 's/^test: //p' "$root"/museum/*${1-}*.patch | sort -u | while read -r command; do
    passes "$command" || { echo "fails as it is: $command" >&2; exit 1; }
done
for patch in "$root"/museum/*${1-}*.patch; do
    result=$(judge "$patch")
    printf '%-40s %s\n' "$(basename "$patch" .patch)" "$result"
    [ "$result" = noticed ] || status=1
done
exit $status
