// How fresh the numbers are: the word at the top, and a banner as soon as they are not what the service would say now.

import { byId } from "./dom.js";
import { ago, moment, plural } from "./format.js";

const WORDS = { live: "Live", loading: "Loading", stale: "Not up to date", down: "Service down", export: "Export", gone: "Disconnected" };

let latest = null; // { state, at, refusal }

export function tell(state) {
  latest = { state, at: Date.now(), refusal: null };
  update();
}

// The dashboard's own server is gone, or refuses what the page must ask for.
export function tellGone(refusal = null) {
  latest = { state: { ...(latest?.state ?? { age: null }), status: "gone" }, at: latest?.at ?? Date.now(), refusal };
  update();
}

export function update() {
  if (latest === null) return;
  const { state } = latest;
  const age = state.age === null ? null : state.age + (Date.now() - latest.at) / 1000;
  byId("status").dataset.status = state.status === "gone" ? "down" : state.status;
  put("status-text", word(state, age));
  const text = sentence(state, age);
  byId("banner").hidden = text === null;
  byId("banner").dataset.kind = state.status === "down" || state.status === "gone" ? "down" : "stale";
  put("banner", text ?? "");
}

function word(state, age) {
  if (state.made_at) return `Report · of ${moment(state.made_at)} UTC`;
  if (state.status === "live" || age === null) return WORDS[state.status];
  return `${WORDS[state.status]} · ${state.status === "export" ? "" : "as of "}${ago(age)}`;
}

// A live region that is written anew each second would be read aloud each second.
function put(id, text) {
  if (byId(id).textContent !== text) byId(id).textContent = text;
}

function sentence(state, age) {
  const seen = age === null ? "" : ` The numbers below are from ${minute(age)}.`;
  if (latest.refusal) return `These numbers could not be read anew: ${latest.refusal}.`;
  if (state.status === "gone") return "The dashboard’s own server does not answer; it is asked again every few seconds.";
  if (state.status === "down") return `${state.problem}${seen}`;
  if (state.status === "stale" && state.problem) return `${state.problem}${seen}`;
  if (state.status === "stale") return `${plural(state.pending, "collection")} could not be read anew; what is shown of ${state.pending === 1 ? "it" : "them"} is old.`;
  if (state.status === "loading" && state.collections) return `Still reading: ${plural(state.collections, "collection")} so far.`;
  return state.status === "export" ? state.problem : null;
}

function minute(age) {
  return age < 60 ? "less than a minute ago" : ago(Math.floor(age / 60) * 60);
}
