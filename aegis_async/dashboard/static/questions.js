// Where answers come from: the JSON API, or in a report the data inside the file.

const inline = document.getElementById("data");
const answers = inline === null ? null : JSON.parse(inline.textContent);
const tags = new Map(); // what was answered, so that an unchanged answer is not sent again

export const isReport = answers !== null;

// What was asked is not to be had; status 0 is where nobody answered.
export class Refusal extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

export async function ask(path) {
  if (isReport) {
    if (!Object.hasOwn(answers, path)) throw new Refusal(404, "This is not in the report. Open the dashboard over the export for it.");
    return answers[path];
  }
  const known = tags.get(path);
  const response = await fetched(path, known ? { "If-None-Match": known.tag } : {});
  if (response.status === 304) return known.answer;
  const answer = await response.json().catch(() => ({ detail: `the answer has status ${response.status} and cannot be read` }));
  if (!response.ok) throw new Refusal(response.status, answer.detail);
  const tag = response.headers.get("ETag");
  if (tag) tags.set(path, { tag, answer });
  if (tags.size > 100) tags.delete(tags.keys().next().value);
  return answer;
}

async function fetched(path, headers) {
  try {
    return await fetch(path, { headers, cache: "no-store" });
  } catch {
    throw new Refusal(0, "the dashboard’s own server does not answer");
  }
}

// Asks again while the numbers change in between, so that what is shown side by side goes together.
export async function askTogether(...paths) {
  let found;
  for (let tries = 0; tries < 5; tries++) {
    found = await Promise.all(paths.map(ask));
    if (isReport || new Set(paths.map((path) => tags.get(path)?.tag)).size === 1) break;
  }
  return found;
}

export function query(path, values) {
  const given = new URLSearchParams(Object.entries(values).filter(([, value]) => value !== null));
  return `${path}?${given}`;
}
