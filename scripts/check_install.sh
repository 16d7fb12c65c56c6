#!/bin/sh
# Installs, moves the folder away, and trains there in an empty environment: nothing may come from the build's folders.
# Usage: scripts/check_install.sh [BUILD], as for scripts/install.sh.
set -eu
PATH=$PATH:/usr/sbin:/sbin # for ldconfig
cd "$(dirname "$0")/.."
root=$PWD
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

scripts/install.sh "$folder/first" "${1-target/release}"
mv "$folder/first" "$folder/elsewhere"
cat > "$folder/sweep.yaml" <<'END'
version: 1
name: installed
parameters:
  {model: acai, dataset: digits32, depth: 1, advdepth: 1, latent: 1, latent_width: 8, batch: 8, total_kimg: 0.0625, kmeans_inits: 1}
END
cd "$folder"
env -i LD_DEBUG=libs LD_DEBUG_OUTPUT="$folder/loaded" "$folder/elsewhere/bin/acai" run sweep.yaml > table
grep -q reconstruction_mse table
sed -n 's/.*calling init: //p' loaded.* | sort -u > libraries
own=$folder/elsewhere/bin/../lib/
grep -qF "${own}libtorch_cpu.so" libraries || { echo "error: the installed trainer did not load the installed libtorch" >&2; exit 1; }
ldconfig -p | sed -n 's/.* => //p' > system
strangers=$(grep -vF "$own" libraries | grep -vxF -f system | grep -v '/ld-linux' || true)
[ -z "$strangers" ] || { echo "error: loaded, but neither installed nor the system's: $strangers" >&2; exit 1; }

mkdir "$folder/day"
(cd "$folder/day" && timeout 900 env -i PATH="$folder/elsewhere/bin:/usr/local/bin:/usr/bin:/bin" "$root/examples/first-day.sh") > day.log 2>&1 ||
    { cat day.log >&2; echo "error: the first day went wrong" >&2; exit 1; }
for said in '^shared: 12 new runs' "KeyError: 'skatter'" 'completed runs of mine' '^lines32, . marks the smallest eval/angle'; do
    grep -q "$said" day.log || { cat day.log >&2; echo "error: the first day did not say $said" >&2; exit 1; }
done
echo "installed, moved, and trained there; the first day went well"
