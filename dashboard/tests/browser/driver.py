"""Real processes of acai, and a real browser: what the tests and the screenshots are made with."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BROWSER = Path(os.environ.get("ACAI_BROWSER", ROOT / ".browser"))
sys.path.insert(0, str(BROWSER / "python"))


def skip_without_a_browser():
    """Ends the program, aloud, where no browser could be fetched."""
    if not BROWSER.is_dir():
        print("SKIPPED: the dashboard is not tested in a browser: there is none in .browser (make browser)", file=sys.stderr)
        sys.exit(0)


class Cluster:
    """A coordinator, and whatever else is started, in a folder that vanishes."""

    def __init__(self, programs):
        self.programs = Path(programs).resolve()
        self.folder = Path(tempfile.mkdtemp(prefix="acai-dashboard-"))
        self.started = []
        libtorch = os.environ.get("LIBTORCH", ROOT / ".libtorch/2.11.0")
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("ACAI_")},
            "LD_LIBRARY_PATH": f"{libtorch}/lib",
            "XDG_CONFIG_HOME": str(self.folder / "config"),
        }

    def acai(self, *arguments):
        """Runs acai to its end; answers what it printed."""
        command = [self.programs / "acai", *arguments]
        ended = subprocess.run(command, cwd=self.folder, env=self.environment, capture_output=True, text=True)
        assert ended.returncode == 0, f"{arguments}: {ended.stderr}"
        return ended.stdout

    def token(self):
        """A token that reads, as somebody has it who was given an access file."""
        self.acai("access", "create", "--scope", "read", "--name", "a reader", "-o", f"reader-{time.monotonic_ns()}.toml")
        newest = max(self.folder.glob("reader-*.toml"), key=lambda path: path.stat().st_mtime_ns)
        return re.search(r"acai_read_\w+", newest.read_text())[0]

    def start(self, name, *arguments):
        """Starts acai; what it prints goes to a file of this name."""
        log = open(self.folder / name, "w")
        command = [self.programs / "acai", *arguments]
        process = subprocess.Popen(command, cwd=self.folder, env=self.environment, stdout=log, stderr=log)
        self.started.append(process)
        return process

    def printed(self, name, pattern):
        """Waits until a started program has printed this; answers the match."""
        def look():
            return re.search(pattern, (self.folder / name).read_text())
        eventually(f"{name} prints {pattern}", look)
        return look()

    def coordinator(self, port=0, name="coordinator"):
        """Starts a coordinator on the folder's database; answers its process, its port and the link into its dashboard."""
        port = port or free_port()
        process = self.start(name, "coordinator", "--db", "sqlite:acai.db", "--listen", f"127.0.0.1:{port}")
        link = self.printed(name, r"dashboard: (http://\S+)")[1]
        return process, port, link

    def close(self):
        for process in self.started:
            process.send_signal(signal.SIGKILL)
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


@contextlib.contextmanager
def cluster(programs):
    made = Cluster(programs)
    try:
        yield made
    finally:
        made.close()


@contextlib.contextmanager
def browser():
    """A headless Chromium: the one of this machine, if CHROME names it, or that in .browser."""
    from playwright.sync_api import sync_playwright

    root = BROWSER / "root"
    libraries = [root / "usr/lib/x86_64-linux-gnu", root / "usr/lib/x86_64-linux-gnu/pulseaudio", root / "lib/x86_64-linux-gnu"]
    program = os.environ.get("CHROME", root / "usr/lib/chromium/chromium-headless-shell")
    environment = {**os.environ, "LD_LIBRARY_PATH": ":".join(map(str, libraries))}
    with sync_playwright() as playwright:
        # Its sandbox does not work for root, who runs tests in containers; the pages are our own.
        launched = playwright.chromium.launch(executable_path=str(program), args=["--no-sandbox"], env=environment)
        try:
            yield launched
        finally:
            launched.close()


def eventually(what, condition, seconds=90):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.05)


def free_port():
    import socket

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
