// What pages do beyond being read: they follow what happens, curves can be zoomed, pictures scrubbed, and keys move about.
// Everything here is an addition: without it each page is complete.
"use strict";

const find = (selector, within = document) => [...within.querySelectorAll(selector)];
const main = () => document.getElementById("content");

// ---- Live -----------------------------------------------------------------------------------------------------------------

const live = { source: null, retry: 0, due: 0, busy: false, again: false };
// Who asks again by this header waits until the page is to be made again, for all tabs that follow it.
const AGAIN = { "accept": "text/html", "acai-again": "1" };

function say(words) {
  const place = document.getElementById("connection");
  if (place.textContent !== words) place.textContent = words;
}

function connect() {
  const path = document.body.dataset.live;
  if (!path || live.source || document.hidden) return;
  const source = new EventSource(new URL(path, document.baseURI));
  live.source = source;
  source.onopen = () => {
    say("live");
    if (live.lost) { live.lost = false; refresh(0); }
  };
  source.addEventListener("happened", () => refresh(250));
  source.addEventListener("progress", (event) => { progressed(event.data); points(); });
  source.addEventListener("reset", () => { disconnect(); refresh(0); later(connect, 1000); });
  source.onerror = () => {
    live.lost = true;
    say("not connected");
    // The browser itself tries again unless it was told that it may not come in.
    if (source.readyState === EventSource.CLOSED) { disconnect(); later(connect, 2000); }
  };
}

function disconnect() {
  if (live.source) live.source.close();
  live.source = null;
}

function later(action, ms) {
  clearTimeout(live.retry);
  live.retry = setTimeout(action, ms);
}

// A browser allows six connections to a server: a tab that nobody looks at needs none.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) { disconnect(); return; }
  live.lost = true;
  connect();
});

function progressed(html) {
  const part = document.createElement("template");
  part.innerHTML = html;
  const fresh = part.content.firstElementChild;
  const old = find("[data-progress]").find((it) => it.dataset.progress === fresh.dataset.progress);
  if (old) Idiomorph.morph(old, fresh);
}

// Asks for the page again, soon.
function refresh(ms) {
  if (live.busy) { live.again = true; return; }
  if (live.due) return;
  live.due = setTimeout(async () => {
    live.due = 0;
    live.busy = true;
    try { await reload(); } catch { live.lost = true; }
    live.busy = false;
    if (live.again) { live.again = false; refresh(250); }
  }, ms);
}

async function reload() {
  const answer = await fetch(location.href, { headers: AGAIN });
  // While the coordinator or its database is away, what was last known stays.
  if (answer.status >= 500) { live.lost = true; later(() => refresh(0), 2000); return; }
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  document.title = fresh.title;
  document.querySelector("link[rel=icon]").href = fresh.querySelector("link[rel=icon]").getAttribute("href");
  Idiomorph.morph(main(), fresh.getElementById("content"), { morphStyle: "outerHTML", ignoreActive: true, callbacks });
  if (fresh.body.dataset.live) document.body.dataset.live = fresh.body.dataset.live;
  enhance();
  points();
}

const callbacks = {
  // What people have done to a page stays: typed words, chosen boxes, opened panels, the place on a slider, zoomed curves.
  beforeAttributeUpdated(name, node) {
    if (node instanceof HTMLDetailsElement && name === "open") return false;
    if (node.matches("input, select, option, textarea") && ["value", "checked", "selected"].includes(name)) return false;
    if (node.matches("svg.strip") && name === "viewBox" && scrub.touched) return false;
    if (node.matches("svg.strip image") && name === "href" && scrub.touched) return false;
    return true;
  },
  beforeNodeMorphed(old) {
    if (old.nodeType !== Node.ELEMENT_NODE) return true;
    return !(old.matches(".zoomable") || (old.matches("label.scrub") && scrub.touched));
  },
  beforeNodeRemoved(node) { return !(node.nodeType === Node.ELEMENT_NODE && node.matches(".zoomable, .gone")); },
};

// ---- Curves ---------------------------------------------------------------------------------------------------------------

let loading = null;

// The library that draws them, once.
function library() {
  const load = (element) => new Promise((done, failed) => {
    document.head.append(Object.assign(element, { onload: done, onerror: failed }));
  });
  const { plots, plotsStyle } = document.body.dataset;
  loading ??= Promise.all([
    load(Object.assign(document.createElement("link"), { rel: "stylesheet", href: plotsStyle })),
    load(Object.assign(document.createElement("script"), { src: plots })),
  ]);
  // With the coordinator away, it is tried again with the next points.
  loading.catch(() => { loading = null; });
  return loading;
}

const DASHES = [[], [8, 4], [3, 3], [10, 3, 3, 3]];
const plots = new Map();

const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const colour = (group) => style(`--s${group % 7}`);

function options(figure, curves) {
  const series = [{ label: "kimg" }];
  const bands = [];
  curves.lines.forEach((line, place) => {
    const stroke = colour(line.group);
    const end = line.kind === "low" || line.kind === "high";
    const runs = curves.lines.filter((it) => it.kind === "run" && it.group === line.group).length;
    series.push({
      label: line.kind === "mean" ? `${line.name} (mean)` : line.name,
      stroke: end ? "transparent" : stroke,
      width: line.kind === "mean" || runs === 1 ? 2 : 0.75,
      dash: DASHES[Math.floor(line.group / 7) % DASHES.length],
      alpha: line.kind === "run" && runs > 1 ? 0.55 : 1,
      spanGaps: true,
      points: { show: line.kind === "run" && curves.data[0].length < 60, size: 4 },
    });
    // Its low end stands before the high one.
    if (line.kind === "high") bands.push({ series: [place + 1, place], fill: stroke + "2e" });
  });
  const axis = { stroke: style("--ink"), grid: { stroke: style("--line"), width: 1 }, ticks: { stroke: style("--line"), width: 1 }, font: "12px system-ui" };
  return {
    width: figure.clientWidth, height: Math.max(200, Math.min(360, figure.clientWidth * 0.55)),
    scales: { x: { time: false } },
    axes: [{ ...axis, label: "kimg", labelSize: 18, labelFont: "12px system-ui" }, { ...axis, size: 64, values: (_, ticks) => ticks.map(short) }],
    series, bands, legend: { show: false },
    cursor: { sync: { key: "curves", setSeries: false }, drag: { x: true, y: false }, points: { size: 6 } },
    hooks: { setCursor: [(plot) => readout(figure, plot, curves)] },
  };
}

const short = (value) => Math.abs(value) >= 1e5 || (value !== 0 && Math.abs(value) < 1e-3) ? value.toExponential(1) : `${+value.toPrecision(4)}`;

function readout(figure, plot, curves) {
  const words = figure.querySelector(".readout");
  const at = plot.cursor.idx;
  if (at == null) { words.textContent = "drag to zoom, double-click for all"; return; }
  const shown = curves.lines.map((line, place) => [line, nearest(curves.data[place + 1], at)])
    .filter(([line, value]) => value != null && (line.kind === "mean" || (line.kind === "run" && curves.lines.length <= 8)));
  words.textContent = `${short(curves.data[0][at])} kimg: ` + shown.map(([line, value]) => `${line.name}: ${short(value)}`).join("   ");
}

// Of lines that have points at other places than the cursor's.
function nearest(values, at) {
  for (let near = 0; near < 20; near++) {
    const value = values[at - near] ?? values[at + near];
    if (value != null) return value;
  }
  return null;
}

function zoomed({ plot, data: [axis] }) {
  const { min, max } = plot.scales.x;
  return min > axis[0] || max < axis.at(-1) ? { min, max } : null;
}

async function draw(figure) {
  const url = figure.dataset.curves;
  const [answer] = await Promise.all([fetch(new URL(url, document.baseURI)), library()]);
  if (!answer.ok) return;
  const curves = await answer.json();
  const known = plots.get(figure);
  // What was zoomed into stays as it is.
  const range = known ? zoomed(known) : null;
  if (known && known.shape === JSON.stringify(curves.lines)) {
    known.data = curves.data;
    Object.assign(known.curves, curves);
    known.plot.setData(curves.data, !range);
    if (range) known.plot.redraw();
    return;
  }
  if (known) known.plot.destroy();
  let place = figure.querySelector(".zoomable");
  if (!place) {
    place = document.createElement("div");
    place.className = "zoomable";
    place.innerHTML = '<p class="readout" aria-live="off">drag to zoom, double-click for all</p><p class="names"></p>';
    figure.append(place);
  }
  const names = place.querySelector(".names");
  names.replaceChildren(...(curves.groups.length > 1 ? curves.groups.map((group, at) => {
    const name = document.createElement("span");
    const key = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    key.setAttribute("viewBox", "0 0 20 8");
    key.innerHTML = `<line x1="0" x2="20" y1="4" y2="4" stroke="${colour(at)}" stroke-width="3" stroke-dasharray="${DASHES[Math.floor(at / 7) % DASHES.length].join(" ")}"/>`;
    name.append(key, ` ${group.name} (n = ${group.n})`);
    return name;
  }) : []));
  figure.classList.add("enhanced");
  const shown = { ...curves };
  const plot = new uPlot(options(figure, shown), curves.data, place);
  plot.root.setAttribute("aria-hidden", "true");
  if (range) plot.setScale("x", range);
  plots.set(figure, { plot, curves: shown, data: curves.data, shape: JSON.stringify(curves.lines) });
}

const pace = { busy: false, again: false };

function points() {
  for (const [figure, { plot }] of plots) {
    if (!figure.isConnected) { plot.destroy(); plots.delete(figure); }
  }
  if (pace.busy) { pace.again = true; return; }
  pace.busy = true;
  const begun = performance.now();
  Promise.allSettled(find("figure.curves[data-curves]").map(draw)).then(() => {
    // As with pages: no more often than points are quick to read.
    setTimeout(() => {
      pace.busy = false;
      if (pace.again) { pace.again = false; points(); }
    }, 4 * (performance.now() - begun));
  });
}

addEventListener("resize", () => plots.forEach(({ plot }, figure) => plot.setSize({ width: figure.clientWidth, height: plot.height })));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  plots.forEach(({ plot }) => plot.destroy());
  plots.clear();
  find(".zoomable").forEach((it) => it.remove());
  points();
});

// ---- Pictures -------------------------------------------------------------------------------------------------------------

const scrub = { touched: false };

function scrubbed() {
  scrub.touched = true;
  const pair = document.querySelector("input[name=pair]");
  const step = document.querySelector("input[name=step]");
  const steps = step.type === "range" ? JSON.parse(step.dataset.steps) : null;
  const wanted = steps ? steps[+step.value] : +step.value;
  pair.parentElement.querySelector("output").textContent = +pair.value + 1;
  step.parentElement.querySelector("output").textContent = wanted;
  for (const strip of find("svg.strip")) {
    const box = strip.viewBox.baseVal;
    strip.setAttribute("viewBox", `0 ${+pair.value * +strip.dataset.row} ${box.width} ${box.height}`);
    const frames = Object.entries(JSON.parse(strip.dataset.frames)).map(([at, digest]) => [+at, digest]).sort((a, b) => a[0] - b[0]);
    const [, digest] = frames.filter(([at]) => at <= wanted).at(-1) ?? frames[0];
    const image = strip.querySelector("image");
    const href = `pictures/${digest}`;
    if (image.getAttribute("href") !== href) image.setAttribute("href", href);
    look(strip);
  }
  const url = new URL(location.href);
  url.searchParams.set("pair", pair.value);
  if (wanted !== undefined) url.searchParams.set("step", wanted);
  history.replaceState(null, "", url);
}

// A picture that is gone is said where it would be.
async function look(strip) {
  const image = strip.querySelector("image");
  const href = image.getAttribute("href");
  const gone = await image.decode().then(() => false, () => true);
  const said = strip.nextElementSibling;
  if (image.getAttribute("href") !== href || gone === Boolean(said)) return;
  if (said) { said.remove(); return; }
  const words = document.createElement("small");
  words.className = "gone";
  words.textContent = "This picture is not kept any more, or its place does not answer.";
  strip.after(words);
}

function scrubbers() {
  const step = document.querySelector("input[name=step][data-steps]");
  if (!step || step.type === "range") return;
  const steps = JSON.parse(step.dataset.steps);
  if (steps.length < 2) return;
  const place = step.dataset.place;
  // A slider over the steps that there are, whose value is not sent: the URL has the step itself.
  step.type = "range";
  step.min = 0; step.max = steps.length - 1; step.value = place;
}

// ---- Forms, copying, keys -------------------------------------------------------------------------------------------------

function enhance() {
  for (const button of find("button.copy[hidden]")) button.hidden = !navigator.clipboard;
  // Times are UTC, as those of the command line; the reader's own are shown under the pointer.
  for (const time of find("time[datetime]")) time.title = new Date(time.dateTime).toLocaleString();
  scrubbers();
  find("svg.strip").forEach(look);
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button.copy");
  if (!button) return;
  button.dataset.words ??= button.textContent;
  button.textContent = await copy(button).then(() => "Copied", () => "Not copied");
  setTimeout(() => { button.textContent = button.dataset.words; }, 1500);
});

// The command beside a button, or the text that it names.
function copy(button) {
  const { from } = button.dataset;
  if (!from) return navigator.clipboard.writeText(button.parentElement.querySelector("code").textContent);
  const text = fetch(new URL(from, document.baseURI)).then(async (answer) => {
    if (!answer.ok) throw new Error(answer.statusText);
    return new Blob([await answer.text()], { type: "text/plain" });
  });
  // What is copied may come later than the click that allows it.
  return navigator.clipboard.write([new ClipboardItem({ "text/plain": text })]);
}

document.addEventListener("input", (event) => {
  if (event.target.matches("label.scrub input")) scrubbed();
});
document.addEventListener("change", (event) => {
  const form = event.target.closest("form.controls");
  if (form && event.target.matches("select, input[type=checkbox]")) form.requestSubmit();
});
document.addEventListener("formdata", (event) => {
  // Short URLs: what was left open is not asked for; a slider's place stands for its step.
  for (const [name, value] of [...event.formData]) if (value === "") event.formData.delete(name);
  const step = event.target.querySelector("input[name=step][type=range]");
  if (step) event.formData.set("step", JSON.parse(step.dataset.steps)[+step.value]);
});

const PLACES = "table.heat td a, [data-rows] tbody tr a, [data-rows] h2 a";

function move(by) {
  const places = find(PLACES).filter((it) => !it.closest("tr") || it.closest("table.heat") || it === it.closest("tr").querySelector("a"));
  if (!places.length) return;
  const at = places.indexOf(document.activeElement);
  places[(at < 0 ? (by > 0 ? 0 : places.length - 1) : (at + by + places.length) % places.length)].focus();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select, textarea")) return;
  const help = document.getElementById("help");
  const actions = {
    j: () => move(1), k: () => move(-1),
    "/": () => document.querySelector("input[name=where], input[type=search]")?.focus(),
    g: () => { location.href = new URL("./", document.baseURI); },
    w: () => { location.href = new URL("workers", document.baseURI); },
    "?": () => help.open ? help.close() : help.showModal(),
  };
  const action = actions[event.key];
  if (action) { event.preventDefault(); action(); }
});

enhance();
points();
connect();
