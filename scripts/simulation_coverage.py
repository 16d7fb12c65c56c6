#!/usr/bin/env python3
"""Says which lines of `worker/` and `coordinator/` the simulation of the programs reaches, folder by folder.

    scripts/simulation_coverage.py 100000 500      500 seeds from 100000 on

The members of the workspace are compiled with counters (`-C instrument-coverage`), what they depend on is taken as releases have
it. The tools that read the counters, llvm-profdata and llvm-cov, must be of the LLVM that rustc was built with: those of rustup's
component llvm-tools, or those in the folder that LLVM_BIN names.
"""

import collections
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "target/coverage"
PROGRAM = ROOT / "target/release/acai-simulate"
CRATES = ["worker", "coordinator"]


def run(command, **options):
    ended = subprocess.run([str(word) for word in command], text=True, **options)
    if ended.returncode != 0:
        sys.exit(f"error: `{command[0]}` ended with {ended.returncode}")
    return ended.stdout


def tool(name):
    """Where the tool is; an error that says where it comes from if it is nowhere."""
    host = next(line for line in run(["rustc", "-vV"], stdout=subprocess.PIPE).splitlines() if line.startswith("host: "))
    sysroot = Path(run(["rustc", "--print", "sysroot"], stdout=subprocess.PIPE).strip())
    folders = [os.environ.get("LLVM_BIN"), sysroot / "lib/rustlib" / host.removeprefix("host: ") / "bin"]
    for folder in filter(None, folders):
        if (Path(folder) / name).is_file():
            return Path(folder) / name
    sys.exit(f"error: there is no {name}: `rustup component add llvm-tools`, or name a folder in LLVM_BIN")


def build():
    """Compiles the simulation with counters in the members of the workspace alone."""
    OUT.mkdir(parents=True, exist_ok=True)
    wrapper = OUT / "rustc"
    wrapper.write_text('#!/bin/sh\nexec "$@" -C instrument-coverage\n')
    wrapper.chmod(0o755)
    # Programs that run while others are built count too; nobody reads that.
    environment = {**os.environ, "RUSTC_WORKSPACE_WRAPPER": wrapper, "LLVM_PROFILE_FILE": OUT / "build.profraw"}
    run(["cargo", "build", "--release", "--locked", "-p", "acai-simulation"], cwd=ROOT, env=environment)


def count(first, seeds, profdata):
    """Simulates the seeds; returns the file with the counts of all of them."""
    for old in OUT.glob("seeds-*.profraw"):
        old.unlink()
    # Processes add to a few files, of which each locks one.
    environment = {**os.environ, "LLVM_PROFILE_FILE": OUT / "seeds-%4m.profraw"}
    command = [PROGRAM, "--seeds", f"{first}..{first + seeds}", "--logs", OUT / "logs"]
    subprocess.run(command, cwd=ROOT, env=environment, check=False)
    counts = OUT / "seeds.profdata"
    run([profdata, "merge", "--sparse", *OUT.glob("seeds-*.profraw"), "--output", counts])
    return counts


def folders(counts, cov):
    """Lines, and those that were reached, of each folder below the crates' `src`; and the files in which none was."""
    ignored = "--ignore-filename-regex=(/registry/|/rustc/|/out/)"
    command = [cov, "export", "--summary-only", f"--instr-profile={counts}", ignored, PROGRAM]
    exported = json.loads(run(command, stdout=subprocess.PIPE))
    reached, untouched = collections.defaultdict(lambda: [0, 0]), []
    for file in exported["data"][0]["files"]:
        path = Path(os.path.normpath(file["filename"]))
        path = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
        lines = file["summary"]["lines"]
        if path.parts[0] not in CRATES or lines["count"] == 0:
            continue
        # Of the stores the simulation has one.
        depth = min(4 if "store" in path.parts else 3, len(path.parts) - 1)
        folder = "/".join(path.parts[:depth])
        for of in [folder, path.parts[0]]:
            reached[of][0] += lines["covered"]
            reached[of][1] += lines["count"]
        if lines["covered"] == 0:
            untouched.append(str(path))
    return reached, untouched


def main():
    first, seeds = (int(word) for word in sys.argv[1:3])
    profdata, cov = tool("llvm-profdata"), tool("llvm-cov")
    build()
    reached, untouched = folders(count(first, seeds, profdata), cov)
    print(f"\n{seeds} seeds from {first} on\n\n| folder | lines reached | of |\n|---|--:|--:|")
    for folder, (covered, lines) in sorted(reached.items()):
        print(f"| `{folder}/` | {covered} ({100 * covered / lines:.0f} %) | {lines} |")
    print("\nNot reached at all: " + ", ".join(f"`{path}`" for path in sorted(untouched)))


main()
