#!/usr/bin/env python3
"""Takes the picture of the dashboard that the README shows, of a sweep that is half trained.

    dashboard/tests/browser/screenshot.py target/release docs/dashboard.png
"""

import sys
from pathlib import Path

from driver import ROOT, browser, cluster, eventually, skip_without_a_browser


def main():
    skip_without_a_browser()
    programs, picture = sys.argv[1:]
    with cluster(programs) as processes, browser() as chromium:
        _, port, link = processes.coordinator()
        processes.acai("submit", str(ROOT / "examples/plane.yaml"))
        processes.start("worker", "worker", "--slots", "1", "--threads", "1", "--state", "worker-state")
        context = chromium.new_context(viewport={"width": 1100, "height": 760}, color_scheme="light", reduced_motion="reduce")
        page = context.new_page()
        page.goto(link)
        page.goto(f"http://127.0.0.1:{port}/sweeps/plane")
        eventually("most runs are completed", lambda: int(page.title().split("/")[0]) >= 17, seconds=900)
        page.screenshot(path=Path(picture).resolve())


main()
