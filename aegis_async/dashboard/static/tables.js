// The tiles and the two lists.

import { h, pager, show } from "./dom.js";
import { duration, money, moment, NONE, percent, plural, score, whole } from "./format.js";

export function drawTiles(overview) {
  const n = overview.numbers;
  const tile = (name, value, hint) => h("div", {}, h("dt", {}, name), h("dd", {}, value), h("small", {}, hint));
  show("tiles",
    tile("Runs", whole(n.runs), n.unfinished ? `${whole(n.unfinished)} unfinished` : `in ${plural(overview.collections, "collection")}`),
    tile("Runs passed", percent(n.passed, n.judged), `${whole(n.passed)} of ${whole(n.judged)}`),
    tile("Evaluations passed", percent(n.evaluations_passed, n.evaluations_judged), `${whole(n.evaluations_passed)} of ${whole(n.evaluations_judged)}`),
    tile("Cost", money(n.cost), `of ${whole(n.metered)} of ${plural(n.evaluations, "evaluation")}`),
    tile("Mean duration", n.timed ? duration(n.seconds / n.timed) : NONE, plural(n.timed, "finished run")));
}

export function drawBelow(answer, turn) {
  if (answer.total === 0) return show("below", h("p", { class: "none-here" }, "None in this period."));
  const row = (run) => h("tr", {},
    h("td", { class: "name" }, h("a", { href: `#collection=${run.collection_id}&run=${run.id}` }, run.collection || "(no name)"), run.alias ? ` · ${run.alias}` : ""),
    h("td", { class: "when", "data-label": "Began" }, moment(run.started_at)),
    h("td", { class: "wide", "data-label": "Model" }, run.model ?? "no model"),
    h("td", { class: "number", "data-label": "Result" }, verdict(run)),
    h("td", { class: "number", "data-label": "Threshold" }, score(run.threshold)),
    h("td", {}, run.fell ? h("span", { class: "tag" }, "passed before") : ""));
  return show("below", listed(["Collection", "Began", "Model", "Result", "Threshold", ""], answer.items.map(row), [3, 4]), pager(answer, turn) ?? "");
}

export function drawCollections(answer, turn) {
  if (answer.total === 0) return show("collections", h("p", { class: "none-here" }, "No collection here."));
  const row = (each) => h("tr", {},
    h("td", { class: "name" }, h("a", { href: `#collection=${each.id}` }, each.name || "(no name)"), h("span", { class: "muted" }, ` ${each.id}`)),
    h("td", { class: "wide", "data-label": "By" }, each.author ?? NONE),
    h("td", { class: "number", "data-label": "Runs" }, whole(each.runs)),
    h("td", { class: "number", "data-label": "Passed" }, percent(each.passed, each.judged)),
    h("td", { class: "number", "data-label": "Last result" }, each.last_result === null ? NONE : verdict({ result: each.last_result, passed: each.last_passed })),
    h("td", { class: "when", "data-label": "Last run" }, moment(each.last_run_at)));
  return show("collections", listed(["Collection", "By", "Runs", "Passed", "Last result", "Last run"], answer.items.map(row), [2, 3, 4]), pager(answer, turn) ?? "");
}

export function listed(names, rows, numbers) {
  const head = names.map((name, i) => h("th", { scope: "col", class: numbers.includes(i) ? "number" : null }, name));
  return h("table", { class: "stack" }, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows));
}

export function verdict(judged) {
  if (judged.passed === null) return h("span", { class: "muted" }, "no result");
  return h("span", { class: "verdict", "data-passed": String(judged.passed) }, `${judged.passed ? "✓" : "✗"} ${score(judged.result)}`);
}
