#!/usr/bin/env python3
"""Puts a headless Chromium, and the Python packages that drive it, into a folder: for the tests of the dashboard.

The browser is Debian's (100 MB to fetch, 300 MB unpacked), unpacked without root; the packages are those in
scripts/browser-requirements.txt. Where either cannot be had, as on a machine without apt or a network, this says so and
succeeds: the tests then say that they are skipped. Does nothing when the folder is there already.
"""

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

PACKAGE = "chromium-headless-shell"


class Missing(Exception):
    """What keeps the browser from being fetched."""


def run(command, **options):
    ended = subprocess.run(command, text=True, **options)
    if ended.returncode != 0:
        raise Missing(f"`{' '.join(map(str, command[:3]))} …` failed")
    return ended


def apt(folder, *arguments, **options):
    """Calls apt-get with lists and a cache of its own, which need no root."""
    places = {"Dir::State::lists": folder / "lists", "Dir::Cache": folder / "cache"}
    for place in places.values():
        place.mkdir(parents=True, exist_ok=True)
    settings = [f"-o{name}={place}" for name, place in places.items()]
    return run(["apt-get", *settings, "-oAPT::Sandbox::User=", "-qq", *arguments], **options)


def fetch_browser(folder):
    """Unpacks the browser and what this machine lacks of its libraries."""
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise Missing("this machine has no apt-get, by which the browser is fetched")
    work = folder / "apt"
    apt(work, "update", stdout=sys.stderr)
    wanted = ["--yes", "--no-install-recommends", "--print-uris", "install", PACKAGE]
    uris = apt(work, *wanted, stdout=subprocess.PIPE).stdout
    files = [line.split()[1] for line in uris.splitlines() if line.startswith("'")]
    downloads = work / "downloads"
    downloads.mkdir()
    # By name, so that apt compares what arrives with its signed lists.
    apt(work, "download", *(file.split("_")[0] for file in files), cwd=downloads, stdout=sys.stderr)
    for package in sorted(downloads.glob("*.deb")):
        run(["dpkg-deb", "--extract", package, folder / "root"])
    shutil.rmtree(work)


def fetch_packages(folder):
    """Installs the packages for this Python."""
    if importlib.util.find_spec("pip") is None:
        raise Missing(f"{sys.executable} has no pip")
    requirements = Path(__file__).with_name("browser-requirements.txt")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    run([*command, "--only-binary=:all:", "--target", folder / "python", "-r", requirements], stdout=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where to put it")
    folder = parser.parse_args().folder.absolute()
    if folder.exists():
        return
    print(f"fetching a browser for the tests of the dashboard (150 MB, once) into {folder}", file=sys.stderr)
    unfinished = folder.with_name(folder.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        fetch_browser(unfinished)
        fetch_packages(unfinished)
    except (Missing, OSError) as missing:
        shutil.rmtree(unfinished, ignore_errors=True)
        print(f"warning: {missing}: the dashboard is not tested in a browser", file=sys.stderr)
        return
    os.rename(unfinished, folder)


main()
