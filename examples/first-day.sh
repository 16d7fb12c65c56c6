#!/bin/sh
# A researcher's first day with acai, from an own sweep to figures and a second machine. Runs in an empty folder, with `acai`
# and `acai-trainer` on the PATH, and takes a minute on two cores: the sweep is far too small to mean anything.
set -eu

step() { printf '\n== %s\n' "$*"; }

step "An own sweep: what it asks for, before anything is trained"
cat > mine.yaml <<'YAML'
version: 1
name: mine
metric: {name: eval/latent_accuracy, goal: max}
parameters:
  model: acai
  dataset: digits32
  lambda: [0, 0.5]
  gamma: [0.1, 0.2]
  depth: 2
  advdepth: 2
  latent: 4
  batch: 16
  total_kimg: 0.5
  eval_kimg: 0.25
  kmeans_inits: 2
seeds: 3
YAML
acai plan mine.yaml

step "Train it; a Ctrl-C in the middle loses nothing, and the same command goes on"
timeout --foreground -s INT 4 acai run mine.yaml || test $? -eq 124 -o $? -eq 130
acai status mine
acai run mine.yaml

step "Ask: every command answers from the folder .acai, without a coordinator"
acai runs mine
acai show mine/1
acai metrics mine --metric train/loss_ae
acai explain mine/0

step "Compare by pairs of the same seed, and put the table into a paper and into pandas"
acai results mine --compare lambda=0 --group-by lambda,gamma
acai results mine --spread ci95 --format latex > table.tex
acai results mine --format jsonl > runs.jsonl
head -n 12 table.tex

step "Figures and pictures"
acai plot heatmap mine -o plane.svg
acai plot curves mine --metric train/loss_ae -o curves.svg
acai artifacts get mine --name interpolations.png -o pictures
acai fetch mine/1 --what weights

step "The same run alone, to the same digits"
acai show mine/1 --json > shown.json
command=$(sed 's/.*"command":"\([^"]*\)".*/\1/' shown.json)
echo "$command"
sh -c "$command --json" > alone.json
cat alone.json

step "More seeds: what is trained stays, and only what is new is trained"
sed -i 's/^seeds: 3/seeds: 4/' mine.yaml
acai submit mine.yaml 2>&1 || echo "(nobody serves this folder now; acai run does both)"
acai run mine.yaml > /dev/null
acai ls

step "A coordinator and two workers, as on a cluster"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
acai coordinator --db sqlite:cluster.db --listen "127.0.0.1:$port" 2> coordinator.log &
coordinator=$!
trap 'kill $coordinator 2> /dev/null || true' EXIT
export ACAI_COORDINATOR="127.0.0.1:$port"
until acai ls 2> /dev/null; do sleep 0.2; done
sed 's/^name: mine/name: shared/' mine.yaml > shared.yaml
acai submit shared.yaml
for name in first second; do
    acai worker --name $name --state $name --slots 1 --threads 1 --idle-timeout 2 \
        2> $name.log &
done
acai watch shared --after 0 > events.log &
watching=$!
until acai status shared | grep -q '12 completed'; do sleep 0.5; done
kill $watching
acai workers
acai results shared
acai forget shared --dry-run
acai forget shared --yes

step "Done: $(ls | tr '\n' ' ')"
