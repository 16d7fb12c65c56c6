#!/bin/sh
# Memory of an idle coordinator; runs dispatched to a trainer that does nothing.
# Usage: scripts/bench.sh [PROFILE [RUNS]], such as `scripts/bench.sh debug 4` to see that this script works.
set -eu
cd "$(dirname "$0")/.."
acai=$PWD/target/${1-release}/acai
RUNS=${2-500}

folder=$(mktemp -d)
cd "$folder"
export XDG_CONFIG_HOME="$folder/config"
$acai coordinator --db sqlite:acai.db --listen 127.0.0.1:0 2>log &
coordinator=$!
trap 'kill $coordinator; rm -rf "$folder"' EXIT
until grep -q 'https://' log; do sleep 0.1; done
awk '/^VmRSS/ { printf "acai coordinator, idle: %.1f MiB resident\n", $2 / 1024 }' "/proc/$coordinator/status"

cat >sweep.yaml <<END
version: 1
name: nothing
parameters: {model: baseline, dataset: lines32, batch: 1024, total_kimg: 1, eval_kimg: 1}
seeds: $RUNS
END
# A trainer by the protocol: each run is at its only step at once.
cat >trainer <<'END'
#!/bin/sh
echo '{"event":"ready","version":"0","device":"cpu","threads":1,"libtorch":"none"}'
read -r start
run=${start#*\"run\":}
echo "{\"event\":\"finished\",\"run\":${run%%,*},\"step\":1}"
END
chmod +x trainer
begun=$(date +%s%N)
$acai run sweep.yaml --trainer ./trainer --slots 2 >table 2>progress
ended=$(date +%s%N)
awk "BEGIN { printf \"acai run, a trainer that does nothing, 2 slots: %.0f runs/s\n\", $RUNS / (($ended - $begun) / 1e9) }"
