// What is asked when: at the start, when a choice changes, and when the server says that the numbers did.

import { tell, tellGone, update } from "./banner.js";
import { drawCost, drawDuration, drawScores, redraw } from "./charts.js";
import { byId } from "./dom.js";
import { drill, prepareDrill } from "./drill.js";
import { day } from "./format.js";
import { drawModels } from "./heatmap.js";
import { ask, askTogether, isReport, query, Refusal } from "./questions.js";
import { drawBelow, drawCollections, drawTiles } from "./tables.js";

const pages = { below: 1, collections: 1 };
let version = null; // of the numbers that are shown
const asked = { overview: 0, collections: 0 }; // so that a slow answer does not overwrite a later one
let overview = null;

async function loadOverview() {
  const mine = ++asked.overview;
  const form = new FormData(byId("controls"));
  const days = form.get("days") || null;
  const [numbers, below] = await askTogether(
    query("api/overview", { days, span: form.get("span") || null }),
    query("api/below", { page: pages.below, days }),
  );
  if (mine !== asked.overview) return;
  overview = numbers;
  drawTiles(numbers);
  byId("empty").hidden = numbers.first !== null;
  byId("pictures").hidden = numbers.first === null;
  byId("range").textContent = numbers.first === null ? "" : `${day(numbers.first)} to ${day(numbers.last)}${numbers.cut ? ", earlier ones left out" : ""}`;
  if (numbers.first === null) return;
  drawPassRates();
  drawScores(numbers);
  drawCost(numbers);
  drawDuration(numbers);
  drawBelow(below, turning("below", loadOverview));
}

// A report holds the first page of each list alone.
function turning(list, load) {
  return isReport ? null : (page) => { pages[list] = page; guarded(load); };
}

function drawPassRates() {
  if (overview !== null) drawModels(overview, document.querySelector("input[name=of]:checked").value);
}

async function loadCollections() {
  const mine = ++asked.collections;
  const answer = await ask(query("api/collections", { page: pages.collections, search: byId("search").value }));
  if (mine === asked.collections) drawCollections(answer, turning("collections", loadCollections));
}

async function guarded(...works) {
  try {
    await Promise.all(works.map((work) => work()));
    document.documentElement.dataset.ready = version ?? "report";
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    version = null; // what was shown stays, and is asked for again with the next news
    tellGone(error.status === 0 ? null : error.message);
  }
}

async function onState(state) {
  tell(state);
  if (state.version === version) return;
  version = state.version;
  await guarded(loadOverview, loadCollections, drill);
}

function listen() {
  const events = new EventSource("api/events");
  events.addEventListener("state", (event) => onState(JSON.parse(event.data)));
  events.addEventListener("error", () => {
    if (events.readyState !== EventSource.CLOSED) return tellGone(); // the browser tries again by itself
    setTimeout(listen, 15000);
    return guarded(async () => onState(await ask("api/health"))); // refused, as where many tabs are open
  });
}

function prepare() {
  let typing = 0;
  byId("controls").addEventListener("change", () => { pages.below = 1; guarded(loadOverview); });
  byId("controls").addEventListener("submit", (event) => event.preventDefault());
  document.querySelectorAll("input[name=of]").forEach((input) => input.addEventListener("change", drawPassRates));
  byId("search").addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => { pages.collections = 1; guarded(loadCollections); }, 250);
  });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  prepareDrill();
  setInterval(update, 1000);
}

prepare();
if (isReport) {
  byId("search-field").hidden = true;
  ask("api/health").then(onState);
} else {
  listen();
}
