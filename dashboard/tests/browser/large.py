#!/usr/bin/env python3
"""How a browser fares with the page of a large sweep: `cargo bench -p acai-dashboard` asks.

    dashboard/tests/browser/large.py http://127.0.0.1:7700/sweeps/large
"""

import sys

from driver import browser, skip_without_a_browser

# Scrolls to the end of the page, and answers the longest time between two frames.
SCROLL = """() => new Promise((done) => {
  const begun = performance.now();
  let last = begun, longest = 0;
  const frame = (now) => {
    longest = Math.max(longest, now - last);
    last = now;
    scrollTo(0, (now - begun) / 2000 * document.body.scrollHeight);
    now - begun < 2000 ? requestAnimationFrame(frame) : done(longest);
  };
  requestAnimationFrame(frame);
})"""
# The page again, as when something has happened: how long it takes, and how long the browser can do nothing else meanwhile.
AGAIN = """async () => {
  let blocked = 0;
  const observer = new PerformanceObserver((list) => { for (const it of list.getEntries()) blocked = Math.max(blocked, it.duration); });
  observer.observe({ type: "longtask" });
  const begun = performance.now();
  await reload();
  const took = performance.now() - begun;
  await new Promise((done) => setTimeout(done, 200));
  return [took, blocked];
}"""


def main():
    skip_without_a_browser()
    (address,) = sys.argv[1:]
    with browser() as chromium:
        # The first page waits for the browser itself.
        chromium.new_page().goto(address)
        page = chromium.new_context(viewport={"width": 1280, "height": 900}).new_page()
        page.goto(address)
        page.wait_for_load_state("load")
        page.wait_for_timeout(300)
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        loaded = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
        elements = page.evaluate("document.querySelectorAll('*').length")
        longest = page.evaluate(SCROLL)
        took, blocked = page.evaluate(AGAIN)
        print(f"in a browser: first paint after {paint:.0f} ms, all of it after {loaded:.0f} ms, {elements} elements; "
              f"longest frame while scrolling {longest:.0f} ms; the page again in {took:.0f} ms, {blocked:.0f} ms of them at one go")


main()
