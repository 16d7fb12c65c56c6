#!/bin/sh
# Fails when a crate reaches what the architecture keeps from it (see ARCHITECTURE.md, "Arrows").
set -eu

status=0
forbid() { # CRATE DEPENDENCY...
    crate=$1
    shift
    reached=$(cargo tree --locked --offline --edges normal,build --prefix none --format '{p}' --package "$crate" | cut -d' ' -f1 | sort -u)
    for dependency in "$@"; do
        if printf '%s\n' "$reached" | grep -qx "$dependency"; then
            echo "error: $crate depends on $dependency" >&2
            status=1
        fi
    done
}

forbid acai-sweep tokio sqlx tonic tch torch-sys acai-proto acai-coordinator acai-worker
forbid acai-plot tokio sqlx tonic torch-sys acai-proto acai-datasets acai-coordinator acai-dashboard acai-worker
forbid acai-tables tokio sqlx tonic torch-sys acai-proto acai-datasets acai-coordinator acai-dashboard acai-worker acai-plot
forbid acai-datasets tokio sqlx tonic torch-sys acai-proto acai-coordinator acai-worker
forbid acai-access sqlx torch-sys acai-sweep acai-proto acai-coordinator acai-worker
forbid acai-telemetry sqlx tonic torch-sys acai-access acai-sweep acai-proto acai-coordinator acai-worker
forbid acai-proto sqlx torch-sys acai-coordinator acai-worker
forbid acai-coordinator torch-sys turmoil acai-simulation acai-worker acai-dashboard acai-plot
forbid acai-dashboard torch-sys acai-worker
forbid acai-worker sqlx torch-sys turmoil acai-simulation acai-coordinator
forbid acai-cli torch-sys
forbid acai-blocking sqlx tonic torch-sys acai-access acai-sweep acai-proto acai-coordinator acai-worker
forbid acai-promises tokio sqlx tonic torch-sys acai-sweep acai-proto acai-coordinator acai-worker
forbid acai-simulation torch-sys acai-cli acai-dashboard acai-chaos
forbid acai-chaos torch-sys acai-coordinator acai-worker
forbid acai-trainer ureq tokio sqlx tonic acai-proto acai-coordinator acai-worker
exit $status
