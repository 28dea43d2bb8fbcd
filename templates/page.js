/* What a reader's browser adds to the page: nothing in it is needed to read the report.

   The page works without this script (every figure, table and sentence is in it); with it one can
   choose a language and a light or dark page, sort tables, zoom curves and read them off, and move
   through the rounds of the base run. It asks nothing of a network and keeps nothing but two choices. */

(function () {
"use strict";

const root = document.documentElement;
root.classList.add("script");

const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];
const reduced = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function data(element) {
  return element && JSON.parse(element.textContent);
}

/* A choice that stays. Pages opened as files may have no storage; then it lasts as long as the page. */
const kept = {
  get(name) { try { return localStorage.getItem("labreport." + name); } catch { return null; } },
  set(name, value) { try { localStorage.setItem("labreport." + name, value); } catch { /* see above */ } },
};

/* --- numbers ------------------------------------------------------------------------------- */

const SUPERSCRIPTS = { "-": "⁻", 0: "⁰", 1: "¹", 2: "²", 3: "³", 4: "⁴", 5: "⁵", 6: "⁶", 7: "⁷", 8: "⁸", 9: "⁹" };

/* A number as the report writes it: 0.02890, 1.418×10⁻¹³. */
function measured(value, digits = 4) {
  if (value === null || value === undefined) return "—";
  if (value === 0) return "0";
  const exponent = Math.floor(Math.log10(Math.abs(value)));
  const text = exponent > -5 && exponent < 6
    ? Number(value.toPrecision(digits)).toFixed(Math.max(digits - 1 - exponent, 0))
    : value.toExponential(digits - 1).replace(/e\+?(-?\d+)/, (_, power) => "×10" + raised(power));
  return text.replace("-", "−");
}

const raised = (power) => [...String(power)].map((c) => SUPERSCRIPTS[c]).join("");

/* A text of the catalogue with values put in. */
const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

/* A tick of an axis: 0.01, 10⁻⁶, 1000. */
function tick(value) {
  if (value === null) return "";
  const size = Math.abs(value);
  if (value === 0 || (size >= 1e-3 && size < 1e5)) return String(Number(value.toPrecision(6))).replace("-", "−");
  const [mantissa, power] = value.toExponential().split("e");
  return ((mantissa === "1" ? "" : mantissa + "×") + "10" + raised(Number(power))).replace("-", "−");
}

/* What a cell of a table says, as a number if it begins with one; null for a dash. */
function sortable(cell) {
  const text = [...cell.childNodes]
    .map((node) => (node.nodeName === "SUP" ? "^" + node.textContent : node.textContent))
    .join("").trim().replace(/−/g, "-");
  if (text === "—" || text === "") return null;
  const infinite = text.match(/^(-?)∞/);
  if (infinite) return infinite[1] ? -Infinity : Infinity;
  const power = text.match(/^(-?)10\^(-?\d+)/);
  if (power) return Number(`${power[1]}1e${power[2]}`);
  const found = text.match(/^(-?\d+(?:\.\d+)?)(?:×10\^(-?\d+))?/);
  return found ? Number(`${found[1]}e${found[2] || 0}`) : text;
}

/* --- a light or a dark page ---------------------------------------------------------------- */

const themes = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : themes.matches);

function setTheme(theme) {
  if (theme === "dark" || theme === "light") root.dataset.theme = theme;
  for (const button of all(".theme-switch")) button.setAttribute("aria-pressed", String(isDark()));
}

if (["dark", "light"].includes(kept.get("theme"))) root.dataset.theme = kept.get("theme");

function themeSwitches() {
  for (const button of all(".theme-switch")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const theme = isDark() ? "light" : "dark";
      kept.set("theme", theme);
      setTheme(theme);
    });
  }
  themes.addEventListener("change", () => setTheme(root.dataset.theme));
  setTheme(root.dataset.theme);
}

/* --- languages, and links to places ---------------------------------------------------------- */

let reports = [];

function show(report) {
  for (const other of reports) {
    other.hidden = other !== report;
    other.classList.toggle("shown", other === report);
  }
  root.lang = report.lang;
  document.title = report.dataset.title;
}

/* The same place in another language has the same anchor, but for the language in front of it. */
function counterpart(report) {
  const shown = reports.find((other) => !other.hidden);
  const linked = decodeURIComponent(location.hash.slice(1));
  const here = inSight(document.getElementById(linked)) ? linked : current(shown) || linked;
  const bare = here.startsWith(shown.dataset.prefix) ? here.slice(shown.dataset.prefix.length) : here;
  const there = document.getElementById(report.dataset.prefix + bare);
  return there && report.contains(there) && bare !== "" ? there.id : report.id;
}

function inSight(element) {
  if (!element) return false;
  const { top, bottom } = element.getBoundingClientRect();
  return bottom > 0 && top < innerHeight;
}

function current(report) {
  const link = report.querySelector('.contents a[aria-current="true"]');
  return link && scrollY > 200 ? link.getAttribute("href").slice(1) : "";
}

function languageSwitches() {
  reports = all(".report");
  for (const link of all(".language-switch")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      const report = document.getElementById(link.getAttribute("href").slice(1));
      const place = counterpart(report);
      kept.set("language", report.dataset.language);
      show(report);
      if (place === report.id) {
        history.pushState(null, "", "#" + place);
        scrollTo(0, 0);
      } else {
        location.hash = place;
      }
      report.querySelector(".language-switch").focus({ preventScroll: true });
    });
  }
}

/* Where the address leads: its language is shown, and what a claim rests on is opened. */
function arrive() {
  const linked = decodeURIComponent(location.hash.slice(1));
  // The file with another language in front calls the same place by a name without its language.
  const place = document.getElementById(linked) || document.getElementById(linked.replace(/^[a-z]{2}-/, ""));
  const report = place && place.closest(".report");
  if (!report) return;
  show(report);
  if (place === report) return;
  const evidence = place.matches("li, .sentences span") && place.querySelector(":scope > details.evidence");
  if (evidence) evidence.open = true;
  for (let outer = place.closest("details"); outer; outer = outer.parentElement.closest("details")) outer.open = true;
  place.scrollIntoView();
}

function firstLanguage() {
  const wanted = reports.find((report) => report.dataset.language === kept.get("language"));
  show(wanted || reports[0]);
  arrive();
  addEventListener("hashchange", arrive);
}

/* --- a table of contents that follows --------------------------------------------------------- */

function follow(report) {
  const links = new Map(all(".contents a", report).map((link) => [link.getAttribute("href").slice(1), link]));
  const sections = all("section[id]", report).filter((section) => links.has(section.id));
  const seen = new Set();
  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries) entry.isIntersecting ? seen.add(entry.target) : seen.delete(entry.target);
    // Of nested sections the innermost, which comes last, is where the reader is.
    const here = sections.filter((section) => seen.has(section)).pop();
    for (const [name, link] of links) {
      if (here && name === here.id) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    const link = here && links.get(here.id);
    const contents = link && link.closest(".contents");
    if (contents && contents.scrollHeight > contents.clientHeight) {
      const middle = link.offsetTop - contents.clientHeight / 2;
      contents.scrollTo({ top: middle, behavior: reduced() ? "auto" : "smooth" });
    }
  }, { rootMargin: "-15% 0px -80% 0px" });
  for (const section of sections) observer.observe(section);
}

/* --- tables that sort -------------------------------------------------------------------------- */

function compare(a, b, collator) {
  if (a === null || b === null) return (a === null) - (b === null);
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
  return collator.compare(a, b);
}

function sorts(table) {
  const body = table.tBodies[0];
  const original = [...body.rows];
  if (original.length < 3) return;
  const collator = new Intl.Collator(table.closest("[lang]").lang, { numeric: true });
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = make("button", { type: "button", class: "sort" }, ...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const way = { ascending: "descending", descending: "" }[head.getAttribute("aria-sort")] ?? "ascending";
      for (const other of heads) other.removeAttribute("aria-sort");
      let rows = original;
      if (way) {
        head.setAttribute("aria-sort", way);
        const sign = way === "ascending" ? 1 : -1;
        const keyed = original.map((row) => [sortable(row.cells[column]), row]);
        // A dash stays last, whichever way one sorts.
        keyed.sort(([a], [b]) => (a === null || b === null ? 1 : sign) * compare(a, b, collator));
        rows = keyed.map(([, row]) => row);
      }
      body.append(...rows);
    });
  });
}

/* What is wider than the page can be scrolled by keyboard. */
function scrollers() {
  const check = (entries) => {
    for (const { target } of entries) {
      if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    }
  };
  const observer = new ResizeObserver(check);
  for (const element of all(".table, .formula .body, .picture")) observer.observe(element);
}

/* --- curves to zoom and read off ---------------------------------------------------------------- */

const AXIS = {
  stroke: "#59636b", grid: { stroke: "#e4e4e4", width: 1 }, ticks: { stroke: "#c9d0d6", width: 1 },
  // Of a logarithmic axis uPlot would number the powers of ten alone, of which a part may have none.
  filter: (_, splits) => splits,
};

/* What the picture of a figure shows, in words. */
function descriptionOf(figure) {
  const picture = figure.querySelector(".picture [aria-label]");
  return picture ? picture.getAttribute("aria-label") : "";
}

class Reader {
  constructor(figure, plot, words) {
    this.figure = figure;
    this.plot = plot;
    this.words = words;
    this.full = [plot.places[0], plot.places[plot.places.length - 1]];
    this.build();
  }

  build() {
    const { plot, words } = this;
    this.canvas = make("div", { class: "canvas" });
    this.legend = make("ul", { class: "legend" });
    this.at = make("p", { class: "at" });
    this.spoken = make("p", { class: "spoken", "aria-live": "polite" });
    this.whole = make("button", { type: "button", class: "whole", disabled: "" }, words.whole);
    this.whole.addEventListener("click", () => this.zoom(...this.full));
    const label = this.figure.querySelector("figcaption .label").textContent;
    this.frame = make("div", { class: "frame", tabindex: "0", role: "application", "aria-label": `${label} ${words.help}` }, this.canvas);
    this.frame.addEventListener("keydown", (event) => this.key(event));
    this.frame.addEventListener("focus", () => this.frame.matches(":focus-visible") && this.move(0));
    // The picture with its description is hidden then: who cannot see hears it here.
    const described = make("p", { class: "spoken" }, descriptionOf(this.figure));
    this.element = make("div", { class: "reader" }, described, this.legend, this.frame, this.spoken);
    this.values = plot.lines.map((line, index) => this.entry(line, index));
    this.swap = make("button", { type: "button", class: "swap", "aria-pressed": "false" }, words.static);
    this.swap.addEventListener("click", () => {
      const still = this.figure.classList.toggle("interactive");
      this.swap.setAttribute("aria-pressed", String(!still));
    });
    this.figure.classList.add("interactive");
    this.figure.querySelector(".picture").after(this.element,
      make("div", { class: "beneath" }, this.at, this.whole, this.swap));
    this.draw();
    new ResizeObserver(() => this.resize()).observe(this.canvas);
  }

  entry(line, index) {
    const value = make("span", { class: "value" });
    const swatch = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const stroke = document.createElementNS("http://www.w3.org/2000/svg", "path");
    swatch.setAttribute("viewBox", "0 0 28 8");
    swatch.setAttribute("aria-hidden", "true");
    for (const [name, set] of Object.entries({ d: "M0 4h28", stroke: line.colour, "stroke-width": 2.2,
      "stroke-dasharray": line.dash.map((part) => part * 1.8).join(" ") || "none" })) stroke.setAttribute(name, set);
    swatch.append(stroke);
    const button = make("button", { type: "button", "aria-pressed": "true" }, swatch, make("span", {}, line.name));
    button.addEventListener("click", () => {
      const shown = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(shown));
      this.chart.setSeries(index + 1, { show: shown });
    });
    this.legend.append(make("li", {}, button, value));
    return value;
  }

  size() {
    return { width: Math.max(this.canvas.clientWidth, 200), height: innerWidth < 640 ? 230 : 280 };
  }

  draw() {
    const { plot } = this;
    const floors = plot.floors.map((level) => plot.places.map(() => level));
    const thin = plot.places.length <= 16;
    const series = plot.lines.map((line, index) => ({
      label: line.name,
      stroke: line.colour,
      width: 2.2 - index / Math.max(plot.lines.length - 1, 1),
      dash: line.dash.map((part) => part * 2),
      points: plot.lowest
        ? { show: true, size: 8, fill: line.colour, filter: () => lowest(line.values) }
        : { show: thin, size: 5, fill: line.colour },
    }));
    const marks = plot.floors.map(() => ({ label: plot.floor, stroke: "#777777", width: 1, dash: [6, 5], points: { show: false } }));
    const across = {
      linear: { scale: { distr: 1 } },
      log: { scale: { distr: 3 }, splits: decades },
      "from-zero": { scale: { distr: 4, asinh: 1 }, splits: roundTicks },
    }[plot.across];
    const font = `12px ${getComputedStyle(this.figure).fontFamily}`;
    const name = { font, labelFont: font, labelSize: 20 };
    const options = {
      ...this.size(),
      legend: { show: false },
      cursor: { drag: { x: true, y: false, dist: 6 }, dataIdx: (chart, _, index) => index, points: { size: 7 } },
      scales: {
        x: { time: false, ...across.scale },
        y: plot.logarithmic ? { distr: 3 } : {},
      },
      axes: [
        { ...AXIS, ...name, label: plot.horizontal, size: 34, values: (_, values) => values.map(tick),
          ...(across.splits ? { splits: (_, __, low, high) => across.splits(low, high) } : {}) },
        { ...AXIS, ...name, label: plot.vertical, size: 58, values: (_, values) => values.map(tick),
          ...(plot.logarithmic ? { splits: (_, __, low, high) => decades(low, high) } : {}) },
      ],
      series: [{ label: plot.horizontal }, ...series, ...marks],
      hooks: {
        draw: [(chart) => this.mark(chart)],
        setCursor: [(chart) => this.read(chart.cursor.idx)],
        setScale: [(chart, key) => key === "x" && this.zoomed(chart.scales.x)],
      },
    };
    this.chart = new uPlot(options, [plot.places, ...plot.lines.map((line) => line.values), ...floors], this.canvas);
    this.read(null);
  }

  /* Dotted lines at the rounds that are compared, as the printed figure has them. */
  mark({ ctx, bbox, valToPos }) {
    ctx.save();
    ctx.strokeStyle = "#888888";
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([devicePixelRatio, 3 * devicePixelRatio]);
    for (const place of this.plot.marks) {
      const x = valToPos(place, "x", true);
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  }

  resize() {
    const { width, height } = this.size();
    if (Math.abs(width - this.chart.width) > 1 || height !== this.chart.height) this.chart.setSize({ width, height });
  }

  zoomed({ min, max }) {
    this.whole.disabled = min <= this.full[0] && max >= this.full[1];
  }

  zoom(low, high) {
    this.chart.setScale("x", { min: low, max: high });
  }

  /* Numbers at a place of the axis, or at the end of the curves where the pointer is elsewhere. */
  read(index) {
    const { plot } = this;
    const inside = index !== null && index !== undefined;
    const at = inside ? index : plot.places.length - 1;
    this.at.textContent = `${plot.horizontal} ${tick(plot.places[at])}`;
    this.at.classList.toggle("resting", !inside);
    plot.lines.forEach((line, k) => { this.values[k].textContent = measured(line.values[at]); });
    this.index = at;
  }

  move(steps) {
    const { places } = this.plot;
    const { min, max } = this.chart.scales.x;
    let index = Math.min(Math.max(this.index + steps, 0), places.length - 1);
    while (index > 0 && places[index] > max) index -= 1;
    while (index < places.length - 1 && places[index] < min) index += 1;
    const left = this.chart.valToPos(places[index], "x");
    this.chart.setCursor({ left, top: this.chart.over.clientHeight / 2 });
    this.read(index);
    const read = this.plot.lines.map((line) => `${line.name} ${measured(line.values[index])}`);
    const values = read.join(this.words.between);
    this.spoken.textContent = filled(this.words.reading, { at: this.at.textContent, values });
  }

  key(event) {
    const { places } = this.plot;
    const steps = { ArrowLeft: -1, ArrowRight: 1, PageDown: -10, PageUp: 10, Home: -places.length, End: places.length };
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key in steps) this.move(steps[event.key]);
    else if (event.key === "+" || event.key === "=") this.narrow(0.5);
    else if (event.key === "-") this.narrow(2);
    else if (event.key === "0" || event.key === "Escape") this.zoom(...this.full);
    else return;
    event.preventDefault();
  }

  /* Zoom around the place that is read, by positions on the axis, whatever its scale. */
  narrow(factor) {
    const { chart } = this;
    const width = chart.over.clientWidth;
    const middle = Math.min(Math.max(chart.valToPos(this.plot.places[this.index], "x"), 0), width);
    const low = Math.max(chart.posToVal(middle - middle * factor, "x"), this.full[0]);
    const high = Math.min(chart.posToVal(middle + (width - middle) * factor, "x"), this.full[1]);
    if (high > low) this.zoom(low, high);
  }
}

/* Where a curve is lowest, as the indices that are marked. */
function lowest(values) {
  const found = values.filter((value) => value !== null);
  return found.length ? [values.indexOf(Math.min(...found))] : [];
}

/* Powers of ten, and 2 and 5 times these where there are few. */
function decades(low, high) {
  const first = Math.floor(Math.log10(low)), last = Math.ceil(Math.log10(high));
  const every = Math.ceil((last - first) / 8);
  const factors = last - first > 2 ? [1] : [1, 2, 5];
  const ticks = [];
  for (let power = first; power <= last; power += every)
    for (const factor of factors) ticks.push(Number(`${factor}e${power}`));
  const inside = ticks.filter((value) => value >= low * 0.999 && value <= high * 1.001);
  return inside.length > 1 ? inside : evenly(low, high);
}

/* 0, 1, 10, 100 …, or evenly where less than a decade is shown; away from 0 as on any logarithmic axis. */
function roundTicks(low, high) {
  if (low >= 1) return decades(low, high);
  const powers = [0];
  for (let power = 1; power <= high * 1.0001; power *= 10) powers.push(power);
  const inside = powers.filter((value) => value >= low && value <= high);
  return inside.length > 2 ? inside : evenly(low, high);
}

/* Round values at even distances: a few, whatever the range. */
function evenly(low, high) {
  const step = 10 ** Math.floor(Math.log10(Math.max(high - low, 1e-9) / 2));
  const wide = (high - low) / step > 8 ? step * 5 : step * ((high - low) / step > 4 ? 2 : 1);
  const even = [];
  for (let value = Math.ceil(low / wide) * wide; value <= high; value += wide) even.push(Number(value.toPrecision(8)));
  return even;
}

function readers(report) {
  const words = data(report.querySelector("script.words"));
  const observer = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      observer.unobserve(entry.target);
      const [plot, run] = ["plot", "run"].map((kind) => data(entry.target.querySelector("script." + kind)));
      if (plot) new Reader(entry.target, plot, words);
      if (run) new Rounds(entry.target, run, words);
    }
  }, { rootMargin: "600px 0px" });
  for (const figure of all("figure", report)) {
    if (figure.querySelector("script.plot, script.run")) observer.observe(figure);
  }
}

/* --- the rounds of a run -------------------------------------------------------------------------- */

const SVG = "http://www.w3.org/2000/svg";
const POSITIVE = "#0072b2", NEGATIVE = "#d55e00";

function draw(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

class Rounds {
  constructor(figure, course, words) {
    this.course = course;
    this.words = words;
    this.slider = make("input", { type: "range", min: "0", max: String(course.rounds.length - 1), value: "0", "aria-label": words.round });
    this.slider.addEventListener("input", () => { this.stop(); this.show(Number(this.slider.value)); });
    this.play = make("button", { type: "button", class: "play" }, words.play);
    this.play.addEventListener("click", () => (this.timer ? this.stop() : this.start()));
    this.play.hidden = reduced();
    this.said = make("p", { class: "said" });
    const stage = make("div", { class: "stage" }, this.network());
    if (course.surface) stage.append(this.surface());
    this.body = make("tbody");
    this.cells = course.names.map((name) => {
      const cells = [make("td"), make("td")];
      this.body.append(make("tr", {}, make("th", { scope: "row" }, name), ...cells));
      return cells;
    });
    const heads = ["", words.weight, words.gradient].map((word) => (word ? make("th", { scope: "col" }, word) : make("td")));
    stage.append(make("table", { "aria-label": `${words.weight}, ${words.gradient}` }, make("thead", {}, make("tr", {}, ...heads)), this.body));
    this.swap = make("button", { type: "button", class: "swap", "aria-pressed": "false" }, words.static);
    this.swap.addEventListener("click", () => {
      this.stop();
      this.swap.setAttribute("aria-pressed", String(!figure.classList.toggle("interactive")));
    });
    this.element = make("div", { class: "rounds" }, make("div", { class: "slide" }, this.play, this.slider, this.said), stage,
      make("p", { class: "key" }, words.drawing));
    figure.classList.add("interactive");
    figure.querySelector(".picture").after(this.element, make("div", { class: "beneath" }, make("p", { class: "at" }), this.swap));
    this.show(0);
  }

  network() {
    const { layers, edges, names } = this.course;
    const tall = Math.max(...layers.map((layer) => layer.length));
    const width = 130 * (layers.length - 1) + 90, height = 86 * tall + 20;
    this.places = layers.map((layer, l) => layer.map((_, u) => [45 + 130 * l, height / 2 + 86 * (u - (layer.length - 1) / 2)]));
    const svg = draw("svg", { viewBox: `0 0 ${width} ${height}`, class: "network", role: "img" });
    this.drawing = svg;
    this.largest = {
      weight: Math.max(...this.course.weights.flat().map(Math.abs)),
      gradient: Math.max(...this.course.gradients.flat().map(Math.abs)),
    };
    this.lines = edges.map((edge) => {
      const [[x1, y1], [x2, y2]] = [this.places[edge.layer][edge.source], this.places[edge.layer + 1][edge.target]];
      const halo = draw("line", { x1, y1, x2, y2, stroke: "#888888", "stroke-opacity": 0.28 });
      const line = draw("line", { x1, y1, x2, y2 });
      svg.append(halo, line);
      return { edge, halo, line };
    });
    if (edges.length <= 24) {
      for (const { edge } of this.lines) {
        const [[x1, y1], [x2, y2]] = [this.places[edge.layer][edge.source], this.places[edge.layer + 1][edge.target]];
        const share = edge.source === edge.target ? 0.5 : 0.3;
        svg.append(draw("text", { x: x1 + share * (x2 - x1), y: y1 + share * (y2 - y1) - 3, class: "edge" }, names[edge.parameter]));
      }
    }
    this.under = layers.map((layer, l) => layer.map((name, u) => {
      const [x, y] = this.places[l][u];
      const value = draw("text", { x, y: y + 27 });
      svg.append(draw("circle", { cx: x, cy: y, r: 15 }), draw("text", { x, y: y + 4 }, name), value);
      return value;
    }));
    return svg;
  }

  /* A map of the loss in a picture of one pixel a cell, and above it the way of the run. */
  surface() {
    const { horizontal, vertical, losses, path, share } = this.course.surface;
    const { words } = this;
    const scale = losses.every((loss) => loss > 0) ? Math.log : (loss) => loss;
    const low = scale(Math.min(...losses)), high = scale(Math.max(...losses));
    const pixels = make("canvas", { width: horizontal.length, height: vertical.length });
    const context = pixels.getContext("2d");
    losses.forEach((loss, k) => {
      const column = k % horizontal.length, row = Math.floor(k / horizontal.length);
      context.fillStyle = shade((scale(loss) - low) / (high - low || 1));
      context.fillRect(column, vertical.length - 1 - row, 1, 1);
    });
    const across = (x) => 220 * (x - horizontal[0]) / (horizontal[horizontal.length - 1] - horizontal[0]);
    const up = (y) => 220 - 220 * (y - vertical[0]) / (vertical[vertical.length - 1] - vertical[0]);
    this.way = path.map(([x, y]) => [across(x), up(y)]);
    const line = this.way.map((place) => place.map((c) => c.toFixed(1)).join(",")).join(" ");
    this.gone = draw("polyline", { class: "gone" });
    this.point = draw("circle", { r: 5.5, class: "point" });
    const surface = filled(words.surface, { share: (100 * share).toFixed(1) });
    const map = draw("svg", { viewBox: "0 0 220 220", class: "map", role: "img", "aria-label": surface },
      draw("image", { href: pixels.toDataURL(), width: 220, height: 220, preserveAspectRatio: "none" }),
      draw("polyline", { points: line, class: "way" }), this.gone, this.point);
    const bar = make("span", { class: "bar", "aria-hidden": "true" });
    bar.style.background = `linear-gradient(to right, ${[0, 0.25, 0.5, 0.75, 1].map(shade).join(", ")})`;
    const key = make("p", { class: "key" }, surface, " ",
      make("span", { class: "scale" }, words.loss, " ", measured(Math.min(...losses), 2), " ", bar, " ", measured(Math.max(...losses), 2)));
    return make("div", { class: "surface" }, map, key);
  }

  show(index) {
    const { course, words, largest } = this;
    this.index = index;
    this.slider.value = String(index);
    const text = `${words.round} ${course.rounds[index]} · ${words.loss} ${measured(course.losses[index])}`;
    this.said.textContent = text;
    this.slider.setAttribute("aria-valuetext", text);
    for (const { edge, halo, line } of this.lines) {
      const weight = course.weights[index][edge.parameter], gradient = course.gradients[index][edge.parameter];
      line.setAttribute("stroke", weight === 0 ? "#999999" : weight > 0 ? POSITIVE : NEGATIVE);
      line.setAttribute("stroke-width", 0.8 + 5 * Math.sqrt(Math.abs(weight) / (largest.weight || 1)));
      halo.setAttribute("stroke-width", 22 * Math.sqrt(Math.abs(gradient) / (largest.gradient || 1)));
    }
    course.names.forEach((_, k) => {
      this.cells[k][0].textContent = measured(course.weights[index][k]);
      this.cells[k][1].textContent = measured(course.gradients[index][k]);
    });
    this.drawing.setAttribute("aria-label", text);
    if (course.units.length) {
      const known = course.layers.flatMap((layer, l) => layer.map((name, u) => `${name} ${measured(course.units[index][l][u])}`));
      this.drawing.setAttribute("aria-label", filled(words.reading, { at: text, values: known.join(words.between) }));
      this.under.forEach((layer, l) => layer.forEach((text, u) => { text.textContent = measured(course.units[index][l][u]); }));
    }
    if (this.point) {
      const [x, y] = this.way[index];
      this.point.setAttribute("cx", x);
      this.point.setAttribute("cy", y);
      this.gone.setAttribute("points", this.way.slice(0, index + 1).map((place) => place.join(",")).join(" "));
    }
  }

  start() {
    if (this.index === this.course.rounds.length - 1) this.show(0);
    this.play.textContent = this.words.pause;
    this.timer = setInterval(() => {
      if (this.index < this.course.rounds.length - 1) this.show(this.index + 1);
      else this.stop();
    }, 120);
  }

  stop() {
    clearInterval(this.timer);
    this.timer = 0;
    this.play.textContent = this.words.play;
  }
}

/* Colours of viridis, which stay in order of lightness: dark is low. */
const SHADES = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];

function shade(share) {
  const place = Math.min(Math.max(share, 0), 1) * (SHADES.length - 1);
  const from = Math.min(Math.floor(place), SHADES.length - 2);
  const mixed = SHADES[from].map((c, k) => Math.round(c + (place - from) * (SHADES[from + 1][k] - c)));
  return `rgb(${mixed.join(" ")})`;
}

/* --- all of it ------------------------------------------------------------------------------------ */

addEventListener("DOMContentLoaded", () => {
  themeSwitches();
  languageSwitches();
  for (const table of all(".table table")) sorts(table);
  firstLanguage();
  scrollers();
  for (const report of reports) {
    follow(report);
    readers(report);
  }
});
})();
