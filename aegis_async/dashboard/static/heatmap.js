// Pass rate by model and span: a table whose cells carry their number, so that colour says nothing alone.

import { byId, h, show } from "./dom.js";
import { day, percent, plural, spanName } from "./format.js";

const OF = {
  runs: { judged: "judged", passed: "passed", one: "run" },
  evaluations: { judged: "evaluations_judged", passed: "evaluations_passed", one: "evaluation" },
};

export function drawModels(overview, of) {
  const starts = overview.spans.map((row) => row.start);
  const head = h("tr", {}, h("th", { scope: "col" }, "Model"),
    ...starts.map((start) => h("th", { scope: "col" }, spanName(start, overview.span))));
  const rows = overview.models.map((row) => modelRow(row, starts, OF[of]));
  const everything = { model: "All models", others: 0, numbers: overview.numbers, spans: overview.spans.map((row) => [row.start, row.numbers]) };
  const foot = overview.models.length > 1 ? [modelRow(everything, starts, OF[of])] : [];
  const table = h("table", { class: "heat" }, h("thead", {}, head), h("tbody", {}, ...rows, ...foot));
  show("models-key", "Passed: 50 % or less", h("span", { class: "bar", "aria-hidden": "true" }), "100 %");
  show("models-title", `Pass rate by model and ${overview.span}`);
  show("models", table);
  byId("models").scrollLeft = byId("models").scrollWidth; // the latest is what people look for
}

function modelRow(row, starts, of) {
  const spans = new Map(row.spans);
  return h("tr", {},
    h("th", { scope: "row", title: `${nameOf(row)}: ${counted(row.numbers, of)}` }, h("span", {}, nameOf(row)), " ", h("b", {}, percent(row.numbers[of.passed], row.numbers[of.judged]))),
    ...starts.map((start) => cell(nameOf(row), start, spans.get(start), of)));
}

function cell(name, start, numbers, of) {
  if (!numbers || numbers[of.judged] === 0) return h("td", { class: numbers ? "none" : "" }, numbers ? "·" : "");
  const rate = numbers[of.passed] / numbers[of.judged];
  return h("td", { class: "cell", "--rate": `${Math.max(0, 2 * rate - 1) * 100}%`, title: `${name}, ${day(start)}: ${counted(numbers, of)}` },
    String(rate === 1 ? 100 : Math.min(99, Math.round(rate * 100))));
}

function counted(numbers, of) {
  return `${numbers[of.passed]} of ${plural(numbers[of.judged], of.one)} passed`;
}

function nameOf(row) {
  if (row.others > 0) return `${row.others} other models`;
  return row.model ?? "no model";
}
