#!/usr/bin/env python3
"""The dashboard in a real browser: a real coordinator, and a real sweep that trains on the CPU while pages are open.

    dashboard/tests/browser/test.py target/debug        the folder of the programs
    dashboard/tests/browser/test.py target/debug DIR    also screenshots into DIR, for people
"""

import shlex
import sys
import time
from pathlib import Path

from driver import browser, cluster, eventually, skip_without_a_browser
from relay import proxy_below_a_path, relay

SWEEP = """version: 1
name: small
description: Trained while somebody looks on
metric: latent_accuracy
parameters:
  {model: acai, dataset: digits32, lambda: [0, 0.5], gamma: [0, 0.2], depth: 4, latent: 4, batch: 8, lr: 1.0e-3,
   total_kimg: 0.5, eval_kimg: 0.125, kmeans_inits: 5}
seeds: 2
"""
RUNS = 6
STRINGS = """version: 1
name: strings
parameters: {model: acai, dataset: typeover32, depth: 4, latent: 4, batch: 8, total_kimg: 0.25, eval_kimg: 0.25}
"""
PAGES = [
    "", "workers", "sweeps/small", "sweeps/small/runs", "sweeps/small/curves", "sweeps/small/pictures", "sweeps/small/feed",
    "sweeps/small/compare?with=lambda+%3D+0&with=lambda+%3D+0.5", "sweeps/small/runs/0", "sweeps/small/runs/0/log",
    "sweeps/small/cell?dataset=digits32&is.lambda=0.5&is.gamma=0.2", "sweeps/smal", "sweeps/small?where=lamda+%3D+1", "login",
]


class Site:
    """The dashboard of a coordinator, as one browser sees it, and everything that the browser complains of."""

    def __init__(self, chromium, port, link):
        self.base = f"http://127.0.0.1:{port}/"
        self.chromium = chromium
        self.requests, self.complaints = [], []
        context = chromium.new_context()
        context.new_page().goto(link)
        self.state = context.storage_state()
        assert not context.pages[0].evaluate("document.cookie"), "scripts cannot read the cookie"
        context.close()

    def context(self, **options):
        context = self.chromium.new_context(storage_state=self.state, viewport={"width": 1280, "height": 900}, **options)
        context.on("request", lambda request: self.requests.append(request.url))
        context.on("console", lambda message: self.complain(message))
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        return context

    def complain(self, message):
        # That a page is not there, or a coordinator, is said by the browser too.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    def open(self, path="", context=None):
        page = (context or self.context()).new_page()
        page.goto(self.base + path)
        return page


def is_said(page, words):
    """Waits until a page says this of its connection."""
    eventually(f"a page is {words}", lambda: page.locator("#connection").text_content() == words)


def without_reload(page):
    """Marks a page; a page that is loaded again has lost the mark."""
    page.evaluate("window.marked = true")
    return lambda: page.evaluate("window.marked === true")


def the_plane_fills_the_curve_grows_and_what_people_do_stays(site, trains):
    context = site.context()
    plane, curves = site.open("sweeps/small?sort=-gamma", context), site.open("sweeps/small/curves", context)
    marks = [without_reload(page) for page in (plane, curves)]
    assert plane.locator("table.heat td a").count() == 4
    assert plane.locator("table.heat td b", has_text="…").count() == 4, "nothing is trained yet"
    plane.locator("table.results input[type=checkbox]").nth(1).check()
    plane.locator("input[name=where]").fill("gamma = ")
    # As low as a small window can be scrolled, with the focus kept.
    plane.set_viewport_size({"width": 1280, "height": 400})
    plane.evaluate("scrollTo(0, 150)")
    trains()
    curves.wait_for_selector("figure.enhanced canvas", timeout=90_000)
    zoom(curves)
    zoomed = range_of(curves)
    eventually("the plane is filled", lambda: plane.locator("table.heat td b", has_text="…").count() == 0)
    eventually("all runs are completed", lambda: plane.title().startswith(f"{RUNS}/{RUNS}"))
    assert plane.locator("link[rel=icon]").get_attribute("href") == f"favicon.svg?done={RUNS}&of={RUNS}"
    assert plane.input_value("input[name=where]") == "gamma = ", "what was typed stays"
    assert plane.evaluate("document.activeElement.name") == "where", "where somebody was typing"
    assert plane.locator("table.results input[type=checkbox]").nth(1).is_checked(), "what was chosen stays"
    eventually("curves have all points", lambda: curves.title().startswith(f"{RUNS}/{RUNS}"))
    assert range_of(curves) == zoomed, "what was zoomed into stays"
    assert plane.evaluate("scrollY") == 150, "the place on the page stays"
    sorted_by = plane.locator("table.results th[aria-sort=descending]").text_content()
    assert sorted_by == "γ", "the order of the rows stays"
    gammas = plane.locator("table.results tbody tr td:nth-child(3)").all_text_contents()
    assert gammas == ["0.2", "0.2", "0", "0"], gammas
    assert all(mark() for mark in marks), "nothing was loaded again"
    context.close()


def zoom(page):
    """Drags over the middle of the first plot."""
    box = page.locator(".u-over").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 60, steps=4)
    page.mouse.up()
    page.wait_for_timeout(50)


def range_of(page):
    return page.evaluate("(() => { const { plot } = [...plots.values()][0]; return [plot.scales.x.min, plot.scales.x.max]; })()")


def pictures_are_scrubbed_together_and_the_url_is_the_view(site):
    page = site.open("sweeps/small/pictures")
    strips = page.locator("svg.strip")
    assert strips.count() == 4
    boxes = lambda: {strip.get_attribute("viewBox").split()[1] for strip in strips.all()}
    frames = lambda: [image.get_attribute("href") for image in page.locator("svg.strip image").all()]
    assert boxes() == {"0"}
    page.locator("input[name=pair]").focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert boxes() == {str(3 * 34)}, "all cells show the fourth pair"
    last = frames()
    page.locator("input[name=step]").focus()
    page.keyboard.press("Home")
    assert all(before != after for before, after in zip(last, frames())), "all cells show an earlier step"
    again = site.open(page.url.removeprefix(site.base))
    again_frames = [image.get_attribute("href") for image in again.locator("svg.strip image").all()]
    assert again_frames == frames() and again.locator("label.scrub output").first.text_content() == "4"


def sides_show_the_same_pair_of_all_their_runs(site):
    page = site.open("sweeps/small/compare?with=lambda+%3D+0&with=lambda+%3D+0.5+and+gamma+%3D+0")
    strips = page.locator("table.sides svg.strip")
    assert strips.count() == 4, "two sides of two seeds"
    page.locator("input[name=pair]").focus()
    page.keyboard.press("ArrowRight")
    assert {strip.get_attribute("viewBox").split()[1] for strip in strips.all()} == {"34"}
    assert "pair=1" in page.url and page.url.count("with=") == 2
    images = page.evaluate("Promise.all([...document.querySelectorAll('.sides image')].map((it) => fetch(it.href.baseVal).then((a) => a.status)))")
    assert set(images) == {200}


def a_picture_that_is_gone_is_said_where_it_would_be(site):
    context = site.context()
    context.route("**/pictures/*", lambda route: route.fulfill(status=404, body="gone"))
    page = site.open("sweeps/small/pictures", context)
    page.wait_for_selector("small.gone")
    assert page.locator("small.gone").count() == 4 and "not kept any more" in page.locator("small.gone").first.text_content()
    context.close()


def tables_are_copied_as_the_command_prints_them(site, cluster):
    context = site.context(permissions=["clipboard-read", "clipboard-write"])
    page = site.open("sweeps/small?where=lambda+%3D+0.5&sort=gamma", context)
    page.get_by_role("button", name="Copy LaTeX").click()
    page.get_by_role("button", name="Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    command = ["results", "small", "--where", "lambda = 0.5", "--sort", "gamma"]
    assert copied == cluster.acai(*command, "--format", "latex"), copied
    shown = page.locator("#results .command code").first.text_content()
    assert shown == "acai results small --where 'lambda = 0.5' --sort gamma", shown
    csv = context.request.get(site.base + page.locator("#results a", has_text="CSV").get_attribute("href")).text()
    assert csv == cluster.acai(*command, "--format", "csv"), csv
    points = context.request.get(site.base + "sweeps/small/curves.csv?metric=eval/latent_accuracy&where=number+%3D+1").text()
    assert points == cluster.acai("metrics", "small/1", "--metric", "eval/latent_accuracy", "--format", "csv"), points
    runs = context.request.get(site.base + "sweeps/small/runs.csv?where=seed+%3D+0").text()
    assert runs == cluster.acai("runs", "small", "--where", "seed = 0", "--format", "csv"), runs
    figure = page.locator("#plane .command")
    drawn = context.request.get(site.base + figure.locator("a", has_text="SVG").get_attribute("href")).text()
    cluster.acai(*shlex.split(figure.locator("code").text_content())[1:])
    assert drawn == (cluster.folder / "plane.svg").read_text(), "the figure is that of the command below it"
    # Without scripts the same text is a page.
    context = site.context(java_script_enabled=False)
    plain = site.open("sweeps/small?where=lambda+%3D+0.5&sort=gamma", context)
    assert not plain.get_by_role("button", name="Copy").first.is_visible()
    plain.get_by_role("link", name="LaTeX").click()
    assert plain.locator("body").text_content().strip() == copied.strip()
    context.close()


def pages_are_complete_without_scripts(site):
    context = site.context(java_script_enabled=False)
    plane = site.open("sweeps/small", context)
    assert plane.locator("table.heat td b").first.is_visible()
    plane.select_option("select[name=at]", "max")
    plane.locator("#controls").get_by_role("button", name="Show").click()
    assert "at=max" in plane.url and "--at max" in plane.content()
    plane.locator("table.heat td a").first.click()
    assert plane.locator("figure .plot").first.is_visible() and plane.locator(".gallery img").first.is_visible()
    assert site.open("sweeps/small/curves", context).locator("figure .plot").first.is_visible()
    pictures = site.open("sweeps/small/pictures?pair=2", context)
    assert pictures.locator("svg.strip").first.get_attribute("viewBox").split()[1] == "68"
    context.close()


def keys_lead_everywhere(site):
    page = site.open("sweeps/small")
    page.keyboard.press("?")
    assert page.locator("#help").is_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.closest('td') !== null")
    page.keyboard.press("Enter")
    page.wait_for_url("**/cell?**")
    page.keyboard.press("g")
    page.wait_for_url(site.base)
    page.keyboard.press("w")
    page.wait_for_url("**/workers")


def nobody_is_kept_from_reading(site, scheme):
    from axe_playwright_python.sync_playwright import Axe

    axe, found = Axe(), []
    context = site.context(color_scheme=scheme, reduced_motion="reduce", bypass_csp=True)
    for path in PAGES:
        page = site.open(path, context)
        page.wait_for_load_state("load")
        for violation in axe.run(page).response["violations"]:
            nodes = [node["html"][:120] + " " + node.get("failureSummary", "")[:160] for node in violation["nodes"][:3]]
            found.append(f"{scheme} /{path}: {violation['id']}: {nodes}")
        page.close()
    assert not found, "\n".join(found)
    context.close()


def ten_tabs_are_served(site):
    # A browser without a window shows all its tabs at once, so that they are hidden is told to them by this test.
    hide = "Object.defineProperty(document, 'hidden', { value: true, configurable: true }); document.dispatchEvent(new Event('visibilitychange'))"
    context = site.context()
    for _ in range(9):
        tab = site.open("sweeps/small", context)
        is_said(tab, "live")
        tab.evaluate(hide)
        assert tab.evaluate("live.source") is None, "a hidden tab needs no connection"
    last = site.open("sweeps/small", context)
    is_said(last, "live")
    context.close()


def a_page_prints(site):
    pdf = site.open("sweeps/small").pdf()
    assert pdf.startswith(b"%PDF") and len(pdf) > 20_000


def a_page_catches_up_with_a_coordinator_that_was_started_again(site, restart, change):
    page = site.open("sweeps/small/feed")
    marked = without_reload(page)
    is_said(page, "live")
    before = page.locator("tbody tr").count()
    start = restart()
    is_said(page, "not connected")
    start()
    change()
    eventually("the page shows what has happened since", lambda: page.locator("tbody tr").count() > before)
    assert page.locator("#connection").text_content() == "live" and marked()


def the_tunnel_shows_the_same_pages(site, cluster, chromium):
    cluster.start("tunnel", "dashboard")
    link = cluster.printed("tunnel", r"(http://\S+)")[1]
    context = chromium.new_context()
    page = context.new_page()
    page.goto(link)
    page.get_by_role("link", name="small").click()
    assert page.locator("table.heat td b").count() == 4
    is_said(page, "live")
    page.goto(page.url.split("/sweeps")[0] + "/sweeps/small/pictures")
    assert page.evaluate("document.querySelector('svg.strip image').getBoundingClientRect().width > 100")
    context.close()
    # Another browser on this machine has not been given the link.
    stranger = chromium.new_context().new_page()
    assert stranger.goto(link.split("?")[0]).status == 401


def pages_work_through_a_forwarded_port_and_below_a_path(cluster, chromium, port):
    # What `ssh -L` makes: another port of this machine, behind which the coordinator hears the other port's name.
    # Behind a proxy it is below a path as well.
    for place in (relay(port), proxy_below_a_path(port, "/tools/acai")):
        with place as base:
            context = chromium.new_context()
            page = context.new_page()
            strangers = []
            page.on("request", lambda request: strangers.append(request.url) if not request.url.startswith(base) else None)
            page.goto(base)
            page.locator("input[name=token]").fill(cluster.token())
            page.get_by_role("button", name="Sign in").click()
            page.get_by_role("link", name="small").click()
            is_said(page, "live")
            assert page.url == base + "sweeps/small" and page.locator("table.heat td b").count() == 4
            page.get_by_role("link", name="Pictures").click()
            assert page.evaluate("document.querySelector('svg.strip image').getBoundingClientRect().width > 100")
            page.get_by_role("link", name="Curves").click()
            page.wait_for_selector("figure.enhanced canvas")
            assert not strangers, strangers
            context.close()


def strings_between_strings_are_read_on_the_page_of_their_run(site, cluster):
    cluster.acai("submit", "strings.yaml")
    context = site.context(java_script_enabled=False)
    page = site.open("sweeps/strings/runs/0", context)
    shown = page.locator("#strings details")

    def is_shown():
        page.reload()
        return shown.count() > 0

    eventually("a run on strings shows strings", is_shown)
    shown.first.locator("summary").click()
    assert shown.first.locator("pre").is_visible()
    text = shown.first.locator("pre").text_content()
    name = shown.first.locator("summary").text_content().split(",")[0]
    cluster.acai("artifacts", "get", "strings", "--name", name, "-o", "kept")
    kept = [path.read_text() for path in (cluster.folder / "kept").rglob("*.txt")]
    assert kept == [text] and len(text.splitlines()) > 16, text
    context.close()


def first_paint(site):
    """Milliseconds from the request to the first paint, of a page that is not in the browser's cache."""
    page = site.open("sweeps/small")
    page.wait_for_timeout(200)
    return page.evaluate("performance.getEntriesByType('paint').find((it) => it.name === 'first-contentful-paint').startTime")


def keep_screenshots(site, folder):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for scheme in ("light", "dark"):
        context = site.context(color_scheme=scheme)
        for path in PAGES:
            page = site.open(path, context)
            page.wait_for_timeout(500)
            name = path.replace("/", "-").replace("?", "-")[:40] or "sweeps"
            page.screenshot(path=folder / f"{name}-{scheme}.png", full_page=True)
            page.close()


def main():
    skip_without_a_browser()
    programs, *folder = sys.argv[1:]
    with cluster(programs) as processes, browser() as chromium:
        (processes.folder / "small.yaml").write_text(SWEEP)
        (processes.folder / "strings.yaml").write_text(STRINGS)
        coordinator, port, link = processes.coordinator()
        processes.acai("submit", "small.yaml")
        site = Site(chromium, port, link)

        def train():
            processes.start("worker", "worker", "--slots", "1", "--threads", "1", "--state", "worker-state")

        def restart():
            coordinator.kill()
            coordinator.wait()
            return lambda: processes.coordinator(port, "coordinator-again")

        def change():
            processes.acai("submit", "larger.yaml")

        (processes.folder / "larger.yaml").write_text(SWEEP.replace("seeds: 2", "seeds: 3"))
        steps = [
            (the_plane_fills_the_curve_grows_and_what_people_do_stays, [site, train]),
            (pictures_are_scrubbed_together_and_the_url_is_the_view, [site]),
            (sides_show_the_same_pair_of_all_their_runs, [site]),
            (a_picture_that_is_gone_is_said_where_it_would_be, [site]),
            (tables_are_copied_as_the_command_prints_them, [site, processes]),
            (pages_are_complete_without_scripts, [site]),
            (keys_lead_everywhere, [site]),
            (nobody_is_kept_from_reading, [site, "light"]),
            (nobody_is_kept_from_reading, [site, "dark"]),
            (ten_tabs_are_served, [site]),
            (a_page_prints, [site]),
            (the_tunnel_shows_the_same_pages, [site, processes, chromium]),
            (pages_work_through_a_forwarded_port_and_below_a_path, [processes, chromium, port]),
            (strings_between_strings_are_read_on_the_page_of_their_run, [site, processes]),
            (a_page_catches_up_with_a_coordinator_that_was_started_again, [site, restart, change]),
        ]
        if folder:
            steps.insert(2, (keep_screenshots, [site, folder[0]]))
        for step, arguments in steps:
            begun = time.monotonic()
            step(*arguments)
            print(f"{step.__name__.replace('_', ' ')}: ok, {time.monotonic() - begun:.1f} s", flush=True)
        strangers = {url for url in site.requests if not url.startswith((site.base, "data:"))}
        assert not strangers, f"requests leave the coordinator: {strangers}"
        assert not site.complaints, f"the browser complains: {site.complaints}"
        print(f"{len(site.requests)} requests, none to another server; first paint after {first_paint(site):.0f} ms")


main()
