#!/bin/sh
# Fetches the dashboard's files of others again, as dashboard/assets/vendor/VENDOR.md names them; needs npm. A test compares
# their digests.
set -eu
cd "$(dirname "$0")/../dashboard/assets/vendor"

take() { # PACKAGE VERSION NAME FILE...
    package=$1 version=$2 name=$3
    shift 3
    archive=$(npm pack --silent "$package@$version")
    for file in "$@"; do
        tar -xzOf "$archive" "package/dist/$file" > "$file"
    done
    tar -xzOf "$archive" package/LICENSE > "$name.LICENSE"
    rm "$archive"
}

take uplot 1.6.32 uPlot uPlot.iife.min.js uPlot.min.css
take idiomorph 0.8.0 idiomorph idiomorph.min.js
