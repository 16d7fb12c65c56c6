#!/bin/sh
# Builds what a machine with a GPU needs to check the trainer, into target/gpu-check (under 60 MiB); runs it if this is one.
# Usage: scripts/gpu_check.sh [PROFILE], such as `scripts/gpu_check.sh debug` to see that this script works, after `make test`.
set -eu
cd "$(dirname "$0")/.."

out=target/gpu-check
profile=${1-release}
# What `make test` has built already is not built again.
[ "$profile" = debug ] && set -- --workspace || set -- --release -p acai-trainer
built=$(cargo test "$@" --test models --bench step --locked --no-run --message-format json)
executable() { # KIND NAME: the path of the program of this name
    printf '%s\n' "$built" | grep "\"kind\":\[\"$1\"\].*\"name\":\"$2\"" | sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -1
}
rm -rf $out
mkdir -p $out
cp "$(executable bin acai-trainer)" $out/acai-trainer
cp "$(executable test models)" $out/models
cp "$(executable bench step)" $out/step
strip $out/acai-trainer $out/models $out/step
cp scripts/gpu_check_run.sh $out/run.sh
cp trainer/eager/networks.py trainer/eager/models.py trainer/eager/gpu.py $out/
du -sh $out

if [ "$profile" = debug ]; then
    $out/models --list | grep -q ': test'
    echo "baseline 2 2 1 1 fp32" | $out/step cpu
    exit
fi
if [ -e /dev/nvidiactl ]; then
    exec sh $out/run.sh
fi
echo "no NVIDIA GPU here: copy $out to a machine with one and PyTorch 2.11, and run \`sh run.sh\` there"
