#!/usr/bin/env bash
# Checks deploy/ with the programs that it is for; what is not there is skipped aloud. Any complaint fails.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=$PWD/.tools
export PATH="$tools/usr/bin:$tools/python/bin:$PATH" PYTHONPATH="$tools/python"

has() { # PROGRAM WHAT
    command -v "$1" > /dev/null || { echo "skipped: $2, since there is no $1" >&2; return 1; }
}

if has promtool 'alerts for Prometheus'; then
    promtool check config deploy/prometheus/prometheus.yaml
    promtool check rules deploy/prometheus/acai.rules.yaml
    promtool test rules deploy/prometheus/acai.rules.test.yaml
fi
python3 -m json.tool deploy/grafana/acai.json > /dev/null
if has systemd-analyze 'units of systemd'; then
    units=$(mktemp -d)
    trap 'rm -rf "$units"' EXIT
    for unit in deploy/systemd/*.service; do
        # Whether the program is there is another question.
        sed "s|/opt/acai/bin/acai|$(command -v true)|" "$unit" > "$units/${unit##*/}"
        # It exits with 0 whatever it finds.
        complaints=$(systemd-analyze verify --man=no "$units/${unit##*/}" 2>&1)
        [ -z "$complaints" ] || { echo "error: $unit: $complaints" >&2; exit 1; }
        systemd-analyze security --no-pager --offline=yes --threshold=40 "$units/${unit##*/}" | tail -n 1
    done
fi
if has hadolint 'the Containerfile'; then
    hadolint deploy/container/Containerfile
fi
if has kustomize 'manifests for Kubernetes'; then
    for folder in base overlays/gpu overlays/postgres overlays/kueue; do
        kustomize build "deploy/kubernetes/$folder" > .tools/manifests.yaml
        python3 scripts/check_manifests.py .tools/manifests.yaml
        if has kubernetes-validate "the schemas of deploy/kubernetes/$folder"; then
            for version in 1.30 1.34 1.37; do
                kubernetes-validate --quiet --strict -k "$version" .tools/manifests.yaml
            done
        fi
    done
fi
if has shellcheck 'shell scripts'; then
    shellcheck --severity=style scripts/fetch_debian.sh scripts/fetch_deploy_tools.sh scripts/deploy_check.sh \
        scripts/slurm_local.sh scripts/podman_root.sh scripts/check_images.sh
fi
echo 'deploy/ is as it should be'
