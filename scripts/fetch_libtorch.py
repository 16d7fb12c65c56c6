#!/usr/bin/env python3
"""Puts the CPU part of libtorch 2.11.0 into a folder, from PyPI's wheels.

The wheel `torch` is a CUDA build whose CPU half stands alone with two small NVIDIA wheels beside
it. Downloads are pinned by SHA-256 and kept until the folder is whole, so an interrupted fetch goes
on with the wheel it was at. Does nothing when the folder is whole already.
"""

import argparse
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

VERSION = "2.11.0"

# (requirement, SHA-256 of the wheel, members to keep: exact names or folders ending in "/")
WHEELS = [
    (
        f"torch=={VERSION}",
        "7aa2f9bbc6d4595ba72138026b2074be1233186150e9292865e04b7a63b8c67a",
        ["torch/include/", "torch/lib/libtorch_cpu.so", "torch/lib/libc10.so", "torch/lib/libgomp.so.1"],
    ),
    ("nvidia-cuda-runtime==13.0.96", "7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548", ["nvidia/cu13/lib/libcudart.so.13"]),
    ("nvidia-cuda-cupti==13.0.85", "4eb01c08e859bf924d222250d2e8f8b8ff6d3db4721288cf35d14252a4d933c8", ["nvidia/cu13/lib/libcupti.so.13"]),
]
# One wheel of torch for everybody, whichever Python runs this script.
PLATFORM = ["--implementation", "cp", "--python-version", "3.11", "--abi", "cp311", "--abi", "none"] + [
    word
    for tag in ("manylinux_2_28_x86_64", "manylinux_2_25_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
    for word in ("--platform", tag)
]


def fail(message):
    sys.exit(f"error: {message}\nhint: or set LIBTORCH to the folder of a libtorch {VERSION} that you have")


def check_machine():
    if sys.platform != "linux" or platform.machine() != "x86_64":
        fail(f"there is no libtorch wheel for {sys.platform} on {platform.machine()} here (Linux on x86_64 only)")
    if importlib.util.find_spec("pip") is None:
        fail(f"{sys.executable} has no pip, which fetches libtorch; install it (on Debian: apt install python3-pip)")
    if shutil.which("cc") is None:
        fail("no C compiler `cc` was found; install one (on Debian: apt install build-essential)")


def download(requirement, sha256, folder):
    """The wheel's path. A wheel that is there already is only checked."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as pinned:
        pinned.write(f"{requirement} --hash=sha256:{sha256}\n")
        pinned.flush()
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", *PLATFORM]
        command += ["--disable-pip-version-check", "--no-cache-dir", "--find-links", str(folder), "--dest", str(folder)]
        if subprocess.run([*command, "--require-hashes", "-r", pinned.name], stdout=sys.stderr).returncode != 0:
            fail(f"pip could not fetch {requirement}; run the command again to go on")
    distribution = requirement.split("==")[0].replace("-", "_")
    return next(folder.glob(f"{distribution}-*.whl"))


def keep(wheel, members, folder):
    """Unpacks `members` of the wheel: headers under include/, libraries under lib/."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.endswith("/") or not any(name == m or (m.endswith("/") and name.startswith(m)) for m in members):
                continue
            inside = name.removeprefix("torch/") if name.startswith("torch/include/") else f"lib/{Path(name).name}"
            target = folder / inside
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(name) as source, open(target, "wb") as out:
                shutil.copyfileobj(source, out)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where to put it")
    folder = parser.parse_args().folder
    if folder.exists():
        return
    check_machine()
    print(f"fetching libtorch {VERSION} for the CPU (540 MB, once) into {folder}", file=sys.stderr)
    wheels = folder.with_name(folder.name + ".wheels")
    whole = folder.with_name(folder.name + ".unfinished")
    shutil.rmtree(whole, ignore_errors=True)
    wheels.mkdir(parents=True, exist_ok=True)
    for requirement, sha256, members in WHEELS:
        keep(download(requirement, sha256, wheels), members, whole)
    # tch links `-ltorch`; this one only stands for its two halves.
    lib = whole / "lib"
    stub = ["cc", "-shared", "-o", lib / "libtorch.so", "-Wl,--no-as-needed", f"-L{lib}", "-l:libtorch_cpu.so"]
    if subprocess.run([*stub, "-l:libc10.so", "-Wl,-rpath,$ORIGIN"]).returncode != 0:
        fail("the C compiler `cc` could not link libtorch")
    (whole / "build-version").write_text(VERSION + "\n")
    os.rename(whole, folder)
    shutil.rmtree(wheels)


main()
