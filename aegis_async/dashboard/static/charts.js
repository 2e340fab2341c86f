// Lines and bars over time, each with a legend of buttons, what is under the pointer, and the same as a table.

import { h, show } from "./dom.js";
import { day, duration, money, NONE, score, spanName, whole } from "./format.js";

const DURATIONS = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 18000, 36000, 86400, 172800, 432000, 864000]; // so that marks are round
const drawn = new Map(); // place to { chart, draw }
const hidden = new Set(); // series that somebody switched off

export function drawScores(overview) {
  const means = (name) => overview.spans.map((row) => row.metrics.find((each) => each.metric === name)?.mean ?? null);
  const series = overview.metrics.map((each) => ({ name: each.metric, sum: score(each.mean), values: means(each.metric), format: score }));
  draw("scores", overview, series, { range: scoreRange });
}

export function drawCost(overview) {
  const values = overview.spans.map((row) => Number(row.numbers.cost));
  draw("cost", overview, [{ name: "cost", sum: money(overview.numbers.cost), values, format: (value) => (value === null ? NONE : money(value)) }], { bars: true });
}

export function drawDuration(overview) {
  const values = overview.spans.map((row) => (row.numbers.timed ? row.numbers.seconds / row.numbers.timed : null));
  const all = overview.numbers.timed ? overview.numbers.seconds / overview.numbers.timed : null;
  draw("duration", overview, [{ name: "mean", sum: duration(all), values, format: duration }], { steps: DURATIONS });
}

export function redraw() {
  for (const { again } of drawn.values()) again();
}

function draw(place, overview, series, options) {
  drawn.get(place)?.chart.destroy();
  drawn.get(place)?.observer.disconnect();
  const again = () => draw(place, overview, series, options);
  const readout = h("p", { class: "readout" }, "");
  const holder = h("div", { class: "chart", role: "img", "aria-label": described(series, overview) });
  show(place, legend(place, series, again), holder, readout, table(overview, series));
  const x = overview.spans.map((row) => Date.parse(row.start) / 1000);
  const chart = new window.uPlot(settings(place, overview, series, options, holder, readout), [x, ...series.map((each) => each.values)], holder);
  if (x.length === 1) chart.setScale("x", { min: x[0] - 43200, max: x[0] + 43200 }); // alone it would stand on the edge
  const observer = new ResizeObserver(() => holder.clientWidth && chart.setSize({ width: holder.clientWidth, height: holder.clientHeight }));
  observer.observe(holder);
  drawn.set(place, { chart, observer, again });
}

function settings(place, overview, series, options, holder, readout) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const axis = { size: 32, stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui, sans-serif" };
  const line = (each, i) => ({
    label: each.name, stroke: colour(swatch(i)), width: 2, spanGaps: true, show: !hidden.has(`${place}/${each.name}`),
    dash: i >= 8 ? [6, 4] : undefined, points: { show: overview.spans.length < 40, size: 5, fill: colour(swatch(i)) },
    ...(options.bars ? { fill: colour(swatch(i)), paths: window.uPlot.paths.bars({ size: [0.7, 26] }), points: { show: false } } : {}),
  });
  return {
    width: holder.clientWidth || 300, height: holder.clientHeight || 230, legend: { show: false }, padding: [8, 28, 0, 0],
    tzDate: (seconds) => window.uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    cursor: { drag: { x: false, y: false }, points: { show: !options.bars } },
    scales: { x: { time: true, range: padded }, y: { range: (_, least, most) => (least === null ? [0, 1] : options.range ? options.range(least, most) : [0, most * 1.08 || 1]) } },
    axes: [{ ...axis, splits: marked, values: (_, splits) => splits.map((s) => axisDay(s, overview)) },
      { ...axis, size: 58, ...(options.steps ? { incrs: options.steps } : {}), values: (_, splits) => splits.map(series[0]?.format ?? String) }],
    series: [{}, ...series.map(line)],
    hooks: { setCursor: [(chart) => { readout.textContent = told(chart.cursor.idx, overview, series, place); }] },
  };
}

// Whole fives, and nothing below zero but what is there.
function scoreRange(least, most) {
  const low = Math.floor(least / 5) * 5 - 5;
  return [least < 0 ? low : Math.max(0, low), Math.ceil(most / 5) * 5 || 100];
}

// Half a column of air on each side.
function padded(chart, least, most) {
  const air = (most - least) / chart.data[0].length / 1.5;
  return [least - air, most + air];
}

// Marks stand at the spans themselves, from the latest back, as many as there is room for.
function marked(chart, _axis, least, most) {
  const room = ((most - least) * 80) / Math.max(1, chart.width - 70);
  return chart.data[0].reduceRight((marks, x) => (marks.length && marks[0] - x < room ? marks : [x, ...marks]), []);
}

function axisDay(seconds, overview) {
  const text = new Date(seconds * 1000).toISOString().slice(0, 10);
  return overview.span === "month" ? spanName(text, "month") : day(text, "day");
}

function told(index, overview, series, place) {
  if (index === null || index === undefined || !overview.spans[index]) return "";
  const seen = series.filter((each) => !hidden.has(`${place}/${each.name}`) && each.values[index] !== null);
  return `${titleOf(overview.spans[index].start, overview.span)}: ${seen.map((each) => `${each.name} ${each.format(each.values[index])}`).join(" · ")}`;
}

function legend(place, series, again) {
  if (series.length < 2) return h("p", { class: "muted" }, series.length ? `${series[0].name === "mean" ? "Mean" : "Together"} ${series[0].sum}` : "No scores in this period.");
  const item = (each, i) => {
    const name = `${place}/${each.name}`;
    const toggle = () => {
      if (!hidden.delete(name)) hidden.add(name);
      again();
      document.getElementById(place).querySelectorAll(".legend button")[i].focus();
    };
    return h("li", {}, h("button", { type: "button", "aria-pressed": String(!hidden.has(name)), onclick: toggle }, h("i", { "--swatch": `var(${swatch(i)})` }), each.name, h("b", {}, each.sum)));
  };
  return h("ul", { class: "legend" }, ...series.map(item));
}

function table(overview, series) {
  const fill = (event) => {
    if (!event.target.open || event.target.querySelector("table")) return;
    const head = h("tr", {}, h("th", { scope: "col" }, overview.span), ...series.map((each) => h("th", { scope: "col", class: "number" }, each.name)));
    const rows = overview.spans.map((row, i) => h("tr", {}, h("th", { scope: "row", class: "when" }, titleOf(row.start, overview.span)), ...series.map((each) => h("td", { class: "number" }, each.format(each.values[i])))));
    event.target.append(h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "The same as a table" }, h("table", {}, h("thead", {}, head), h("tbody", {}, ...rows))));
  };
  return h("details", { ontoggle: fill }, h("summary", {}, "As a table"));
}

function titleOf(start, span) {
  return span === "week" ? `week of ${day(start)}` : span === "month" ? spanName(start, "month") : day(start);
}

function described(series, overview) {
  return `By ${overview.span}, ${whole(overview.spans.length)} in all: ${series.map((each) => `${each.name} ${each.sum}`).join(", ")}`;
}

function swatch(index) {
  return `--c${(index % 8) + 1}`;
}
