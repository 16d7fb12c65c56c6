#!/usr/bin/env python3
"""With the critic, interpolations come nearer to strings of the curve: seeds 0 and 1 of sweeps/typeover.yaml, twice as long.

    scripts/learn_strings.py target/release          some eleven minutes of processor time
    scripts/learn_strings.py target/debug 0.25       as many thousand strings, to see that this script works: too few for the critic
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NEARER = 0.75


def distances(programs, kimg, folder):
    """The mean distance of each (λ, seed)."""
    libtorch = os.environ.get("LIBTORCH", ROOT / ".libtorch/2.11.0")
    environment = {**os.environ, "LD_LIBRARY_PATH": f"{libtorch}/lib"}
    sweep = folder / "typeover.yaml"
    sweep.write_text((ROOT / "sweeps/typeover.yaml").read_text().replace("seeds: 3", "seeds: 2"))
    length = ["--set", f"total_kimg={kimg}", "--set", f"eval_kimg={kimg}"]
    command = [programs / "acai", "run", sweep, *length, "--threads", "1", "--format", "jsonl"]
    printed = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=True).stdout
    runs = [json.loads(line) for line in printed.splitlines()]
    return {(run["lambda"], run["seed"]): run["eval/mean_distance"] for run in runs}


def main():
    programs, kimg = Path(sys.argv[1]).resolve(), sys.argv[2] if len(sys.argv) > 2 else "256"
    with tempfile.TemporaryDirectory() as folder:
        found = distances(programs, kimg, Path(folder))
    shares = [found[0.5, seed] / found[0.0, seed] for seed in (0, 1)]
    for seed, share in enumerate(shares):
        print(f"seed {seed}: {found[0.5, seed]:.4f} with the critic, {found[0.0, seed]:.4f} without: {share:.2f} of it")
    if max(shares) > NEARER:
        sys.exit(f"error: with the critic the distance should be less than {NEARER} of that without, for both seeds")


main()
