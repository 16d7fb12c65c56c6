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
if has shellcheck 'shell scripts'; then
    shellcheck --severity=style scripts/fetch_debian.sh scripts/fetch_deploy_tools.sh scripts/deploy_check.sh \
        scripts/slurm_local.sh
fi
echo 'deploy/ is as it should be'
