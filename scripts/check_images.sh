#!/usr/bin/env bash
# Builds the images of deploy/container, prints their sizes, and trains a sweep with a coordinator and a worker that run in them and
# that are stopped in the middle; the table must be the one that `acai run` prints there.
# Takes podman (podman_root.sh has one) and deploy/container/acai, from `make install PREFIX=deploy/container/acai`.
set -euo pipefail
cd "$(dirname "$0")/.."
[ -d deploy/container/acai ] || { echo "error: make install PREFIX=deploy/container/acai comes first" >&2; exit 1; }
work=$(mktemp -d)
names=(acai-check-coordinator acai-check-worker)
clean() {
    podman rm --force --time 0 "${names[@]}" > /dev/null 2>&1 || true
    podman volume rm --force "${names[@]}" > /dev/null 2>&1 || true
    podman network rm --force acai-check > /dev/null 2>&1 || true
    rm -rf "$work"
}
trap clean EXIT
now() { date +%s%N; }
took() { # SINCE
    printf '%d.%d s' $((($(now) - $1) / 1000000000)) $((($(now) - $1) / 100000000 % 10))
}

for target in coordinator worker worker-gpu; do
    since=$(now)
    podman build --quiet --target "$target" --tag "acai-$target" deploy/container > /dev/null
    echo "acai-$target: $(podman image ls --format '{{.Size}}' "acai-$target"), built in $(took "$since")"
done

cat > "$work/sweep.yaml" << 'END'
version: 1
name: images
parameters: {model: acai, dataset: digits32, lambda: [0, 0.5], depth: 4, latent: 4, batch: 8, total_kimg: 4, kmeans_inits: 1}
checkpoint: {every_kimg: 1}
END
chmod 755 "$work"
podman run --rm --volume "$work:/work:ro" acai-worker run /work/sweep.yaml --format csv > "$work/alone.csv"

coordinator() { podman exec acai-check-coordinator acai "$@"; }
until_says() { # WORDS COMMAND...: waits until the command prints them, two minutes at the most
    for _ in $(seq 240); do
        ! "${@:2}" 2> /dev/null | grep -q "$1" || return 0
        sleep 0.5
    done
    echo "error: ${*:2} does not say $1" >&2
    podman logs "${names[0]}" >&2; podman logs "${names[1]}" >&2
    exit 1
}
since=$(now)
podman network create acai-check > /dev/null
podman run --detach --name acai-check-coordinator --hostname coordinator --network acai-check \
    --volume acai-check-coordinator:/var/lib/acai --volume "$work:/work:ro" acai-coordinator > /dev/null
until_says admin coordinator access ls
coordinator access create --scope worker --name images --url https://acai-check-coordinator:7700 -o /var/lib/acai/worker.toml
coordinator submit /work/sweep.yaml
podman exec acai-check-coordinator cat /var/lib/acai/worker.toml > "$work/worker.toml"
chown 10001 "$work/worker.toml"
chmod 600 "$work/worker.toml"
podman run --detach --name acai-check-worker --network acai-check --volume acai-check-worker:/var/lib/acai \
    --volume "$work/worker.toml:/etc/acai/access.toml:ro" acai-worker > /dev/null
echo "coordinator and worker started in $(took "$since")"
until_says '"checkpoints":\[{' coordinator show images/0 --json
podman stop --time 45 acai-check-worker > /dev/null
left=$(podman inspect --format '{{.State.ExitCode}}' acai-check-worker)
[ "$left" = 143 ] || { echo "error: a worker that is stopped exits with $left, not 143" >&2; exit 1; }
podman restart --time 20 acai-check-coordinator > /dev/null
podman start acai-check-worker > /dev/null
until_says '2 completed' coordinator ls
coordinator results images --format csv > "$work/together.csv"
cmp "$work/alone.csv" "$work/together.csv"
echo "trained in containers, stopped in the middle and started again, in $(took "$since"): the table of acai run"
