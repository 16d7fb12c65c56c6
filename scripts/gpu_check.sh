#!/bin/sh
# Builds what a machine with a GPU needs to check the trainer, into target/gpu-check (under 60 MiB); runs it if this is one.
set -eu
cd "$(dirname "$0")/.."

out=target/gpu-check
executable() { # NAME CARGO ARGUMENTS...: builds, prints the path of the program of this name
    name=$1
    shift
    cargo "$@" --locked --message-format json | grep "\"name\":\"$name\"" |
        sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -1
}
rm -rf $out
mkdir -p $out
cp "$(executable acai-trainer build --release -p acai-trainer --bin acai-trainer)" $out/acai-trainer
cp "$(executable models test --release -p acai-trainer --test models --no-run)" $out/models
cp "$(executable step bench -p acai-trainer --bench step --no-run)" $out/step
strip $out/acai-trainer $out/models $out/step
cp scripts/gpu_check_run.sh $out/run.sh
cp trainer/eager/networks.py trainer/eager/models.py trainer/eager/gpu.py $out/
du -sh $out

if [ -e /dev/nvidiactl ]; then
    exec sh $out/run.sh
fi
echo "no NVIDIA GPU here: copy $out to a machine with one and PyTorch 2.11, and run \`sh run.sh\` there"
