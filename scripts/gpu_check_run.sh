#!/bin/sh
# Checks the trainer on the first GPU of this machine; needs the libraries of PyTorch 2.11 (its python3, or LIBTORCH).
set -eu
cd "$(dirname "$0")"

LIBTORCH=${LIBTORCH:-$(python3 -c 'import os, torch; print(os.path.dirname(torch.__file__))')}
nvidia=$(find "$(dirname "$LIBTORCH")/nvidia" -type d -name lib 2>/dev/null | tr '\n' ':' || true)
export LD_LIBRARY_PATH="$LIBTORCH/lib:$nvidia${LD_LIBRARY_PATH:-}"

echo "== machine"
nvidia-smi --query-gpu=name,memory.total,driver_version --format=csv

echo "== CUDA is found at run time, and a run trains, resumes and evaluates on it"
out=$(mktemp -d)
run="./acai-trainer train --model acai --dataset digits32 --lr 1e-3 --kmeans-inits 10 --device cuda:0 --out $out"
$run --total-kimg 8
./acai-trainer eval "$out"/checkpoint-*.safetensors --device cuda:0 --clustering
rm -rf "$out"

echo "== golden steps of every model; groups as runs alone; no NaN crosses members; every model learns"
ACAI_TEST_DEVICE=cuda:0 ./models --test-threads 1 || failed=1

echo "== images/s and peak MiB of the ACAI lines32 step, batch 64: groups of 1, 4, 16, 64, in fp32, tf32 and bf16"
for precision in fp32 tf32 bf16; do
    for group in 1 4 16 64; do
        # The device's memory while it runs; the step's own last figure is that of the host.
        nvidia-smi --query-gpu=memory.used --format=csv,noheader,nounits -lms 200 > memory.log &
        watch=$!
        figure=$(echo "acai 16 64 4 $group $precision" | ./step cuda:0)
        kill $watch
        echo "$precision, group of $group: ${figure%% *} images/s, $(sort -n memory.log | tail -1) MiB on the GPU"
    done
done

echo "== eager PyTorch on the same step"
python3 gpu.py || echo "no PyTorch for CUDA here"
exit ${failed:-0}
