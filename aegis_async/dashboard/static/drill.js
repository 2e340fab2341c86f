// One collection's runs, and one run's evaluations, in a dialog that the address names: #collection=14&run=991.

import { byId, h, pager } from "./dom.js";
import { ago, day, duration, money, moment, NONE, plural, score, whole } from "./format.js";
import { ask, isReport, query } from "./questions.js";
import { listed, verdict } from "./tables.js";

let shown = "";

export function prepareDrill() {
  const dialog = byId("drill");
  byId("drill-close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => {
    shown = "";
    if (location.hash.startsWith("#collection=")) history.pushState(null, "", location.pathname + location.search);
  });
  window.addEventListener("hashchange", drill);
}

export async function drill() {
  const dialog = byId("drill");
  const place = new URLSearchParams(location.hash.slice(1));
  const id = place.get("collection");
  if (!/^[0-9]{1,18}$/.test(id ?? "")) return dialog.open && dialog.close();
  const address = location.hash;
  const run = /^[0-9]{1,18}$/.test(place.get("run") ?? "") ? place.get("run") : null;
  const page = /^[1-9][0-9]{0,3}$/.test(place.get("page") ?? "") ? Number(place.get("page")) : 1;
  let title = `Collection ${id}`;
  let content;
  try {
    [title, content] = run === null || isReport ? await collection(id) : await evaluations(id, run, page);
  } catch (error) {
    content = [h("p", { class: "none-here" }, `${error.message}.`.replace("..", "."))];
  }
  if (location.hash !== address) return undefined; // somebody went on meanwhile
  byId("drill-title").replaceChildren(title);
  byId("drill-body").replaceChildren(...content);
  if (!dialog.open) dialog.showModal();
  if (shown !== address) byId("drill-title").focus();
  shown = address;
  return undefined;
}

async function collection(id) {
  const found = await ask(`api/collections/${id}`);
  const row = (run) => h("tr", {},
    h("td", { class: "name" }, isReport ? label(run) : h("a", { href: `#collection=${id}&run=${run.id}` }, label(run)), run.fell ? h("span", { class: "tag" }, "passed before") : ""),
    h("td", { class: "when", "data-label": "Began" }, moment(run.started_at)),
    h("td", { class: "wide", "data-label": "Model" }, run.model ?? "no model"),
    h("td", { class: "number", "data-label": "Result" }, verdict(run)),
    h("td", { class: "number", "data-label": "Threshold" }, score(run.threshold)),
    h("td", { class: "number", "data-label": "Evaluations passed" }, `${whole(run.evaluations_passed)}/${whole(run.evaluations_judged)}`),
    h("td", { class: "number", "data-label": "Cost" }, run.metered ? money(run.cost) : NONE),
    h("td", { class: "number", "data-label": "Took" }, duration(run.seconds)));
  const runs = found.runs.length
    ? listed(["Run", "Began", "Model", "Result", "Threshold", "Evaluations passed", "Cost", "Took"], found.runs.map(row), [3, 4, 5, 6, 7])
    : h("p", { class: "none-here" }, "No runs yet.");
  const left = found.total_runs - found.runs.length;
  return [found.name || `Collection ${id}`, [
    facts([["Id", found.id], ["By", found.author ?? NONE], ["Created", day(found.created_at.slice(0, 10))], ["Datasets", found.datasets.join(", ") || "none"], ["Runs", whole(found.total_runs)]]),
    aged(found), runs, left > 0 ? h("p", { class: "muted" }, `${plural(left, "earlier run")} not shown.`) : ""]];
}

async function evaluations(id, run, page) {
  const found = await ask(query(`api/collections/${id}/runs/${run}`, { page }));
  const row = (each) => h("tr", {},
    h("td", { class: "name" }, `Record ${each.record_id}`),
    h("td", { class: "number", "data-label": "Metric" }, String(each.metric_id)),
    h("td", { class: "number", "data-label": "Result" }, verdict(each)),
    h("td", { class: "number", "data-label": "Threshold" }, score(each.threshold)),
    h("td", { class: "number", "data-label": "Cost" }, each.cost === null ? NONE : money(each.cost)),
    h("td", { class: "wide explanation" }, each.explanation ?? NONE));
  const turn = (next) => { location.hash = `#collection=${id}&run=${run}&page=${next}`; };
  const scores = Object.entries(found.run.scores).map(([name, value]) => `${name} ${score(value)}`).join(", ");
  return [`${found.run.collection || `Collection ${id}`} · ${label(found.run)}`, [
    h("p", {}, h("a", { href: `#collection=${id}` }, "All runs of this collection")),
    facts([["Model", found.run.model ?? "none"], ["Began", moment(found.run.started_at)], ["Took", duration(found.run.seconds)], ["Result", verdict(found.run)], ["Threshold", score(found.run.threshold)], ["Scores", scores || NONE], ["Cost", found.run.metered ? money(found.run.cost) : NONE]]),
    aged(found),
    found.total ? listed(["Record", "Metric", "Result", "Threshold", "Cost", "Explanation"], found.evaluations.map(row), [1, 2, 3, 4]) : h("p", { class: "none-here" }, "No evaluations."),
    pager(found, turn) ?? ""]];
}

function label(run) {
  return run.alias ? `${run.alias} (run ${run.id})` : `Run ${run.id}`;
}

function facts(pairs) {
  return h("p", { class: "facts" }, ...pairs.map(([name, value]) => h("span", {}, `${name} `, h("b", {}, value instanceof Node ? value : String(value)))));
}

function aged(found) {
  return found.stale ? h("p", { class: "note" }, `Read from the service ${ago(found.age)}; it may have changed since.`) : "";
}
