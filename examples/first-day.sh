#!/bin/sh
# A researcher's first day with acai, from an own sweep to figures, a second machine and an own trainer. Runs in an empty
# folder, with `acai` and `acai-trainer` on the PATH, and takes some minutes on two cores: the sweeps are far too small to mean
# anything.
set -eu
examples=$(cd "$(dirname "$0")" && pwd)
# Nothing of your own settings, and nothing left in them.
export XDG_CONFIG_HOME="$PWD/config"

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

step "A plan now ends with what its runs will take, from what those of the same size have taken"
acai plan mine.yaml | tail -n 2

step "More seeds: what is trained stays, and only what is new is trained"
sed -i 's/^seeds: 3/seeds: 4/' mine.yaml
acai submit mine.yaml 2>&1 || echo "(nobody serves this folder now; acai run does both)"
acai run mine.yaml > /dev/null
acai ls

step "Longer: trained runs go on from where they ended, to the same digits as runs that were as long from the start"
sed 's/total_kimg: .*/total_kimg: 0.7/' mine.yaml > longer.yaml
acai plan longer.yaml > /dev/null
acai run longer.yaml --yes > went-on.txt
sed 's/^name: mine/name: straight/' longer.yaml > straight.yaml
acai run straight.yaml > /dev/null
acai results mine --format csv > went-on.csv
acai results straight --format csv > straight.csv
cmp went-on.csv straight.csv
acai show mine/16

step "Own pictures: two folders of them are two labels, and a tenth is tested on"
python3 - <<'PYTHON'
import os, random, struct, zlib

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

def png(path, is_ink, size=40):
    rows = b"".join(bytes([0] + [20 if is_ink(x, y) else 230 for x in range(size)]) for y in range(size))
    header = struct.pack(">IIBBBBB", size, size, 8, 0, 0, 0, 0)
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))

for number in range(40):
    r, x0, y0 = random.randint(6, 12), random.randint(14, 26), random.randint(14, 26)
    for label, distance in ("discs", lambda x, y: (x * x + y * y) ** 0.5), ("squares", lambda x, y: max(abs(x), abs(y))):
        os.makedirs(f"shapes/{label}", exist_ok=True)
        png(f"shapes/{label}/{number}.png", lambda x, y: distance(x - x0, y - y0) < r)
PYTHON
sed -e 's/^name: mine/name: own-pictures/' -e 's/digits32/images:shapes/' -e 's/^seeds: .*/seeds: 1/' mine.yaml > shapes.yaml
acai run shapes.yaml --data .
acai fetch own-pictures/0 --what checkpoint -o fetched
acai-trainer interpolate "$(find fetched -name '*.safetensors')" --a shapes/discs/0.png --b shapes/squares/1.png --data . -o between.png

step "A coordinator and two workers, as on a cluster"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
acai coordinator --db sqlite:cluster.db --listen "127.0.0.1:$port" 2> coordinator.log &
coordinator=$!
trap 'kill $coordinator 2> /dev/null || true' EXIT
export ACAI_ACCESS=cluster.db.access
until acai ls 2> /dev/null; do sleep 0.2; done
sed 's/^name: mine/name: shared/' mine.yaml > shared.yaml
acai submit shared.yaml
acai access create --scope worker --name "two workers" -o worker.toml
for name in first second; do
    acai worker --access worker.toml --name $name --state $name --slots 1 --threads 1 --idle-timeout 2 \
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

step "An own trainer, with a mistake in it: what its runs failed of"
sed 's/own.get("scatter", 0.1)/own["skatter"]/' "$examples/trainer.py" > trainer.py
chmod +x trainer.py
cat > own.yaml <<'YAML'
version: 1
name: own
metric: {name: eval/angle, goal: min}
trainer:
  parameters: {scatter: {type: float, min: 0}}
  metrics: [eval/angle]
parameters: {model: baseline, dataset: lines32, lr: 0.05, batch: 16, total_kimg: 4, scatter: [0.5, 0]}
max_restarts: 0
YAML
acai submit own.yaml
acai worker --trainer ./trainer.py --state own --slots 1 --idle-timeout 2 2> worker.log
acai status own
acai explain own/0
acai logs own/0 || echo "(what it printed has not arrived)"

step "The mistake is mended, and the runs are trained"
cp "$examples/trainer.py" trainer.py
acai retry own --state failed
acai worker --trainer ./trainer.py --state own --slots 1 --idle-timeout 2 2> worker.log
acai results own

step "Done: $(ls | tr '\n' ' ')"
