// Numbers and dates as people read them.

const WHOLE = new Intl.NumberFormat("en");
const DATES = {
  day: new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" }),
  month: new Intl.DateTimeFormat("en-GB", { month: "short", year: "2-digit", timeZone: "UTC" }),
  full: new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" }),
  moment: new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short", timeZone: "UTC" }),
};

export const NONE = "–";

export function whole(number) {
  return WHOLE.format(number);
}

export function score(number) {
  return number === null ? NONE : String(Math.round(number * 100) / 100);
}

export function percent(part, all) {
  if (all === 0) return NONE;
  const rate = (100 * part) / all;
  // 99.96 % is not everything, and 0.04 % is not nothing.
  if (rate > 99.9 && part < all) return "99.9 %";
  if (rate < 0.1 && part > 0) return "0.1 %";
  return `${rate.toFixed(rate === 100 || rate === 0 ? 0 : 1)} %`;
}

export function money(digits) {
  const amount = Number(digits);
  if (amount === 0) return "0";
  const size = Math.abs(amount);
  const places = size >= 1 ? 2 : Math.min(12, 1 - Math.floor(Math.log10(size)));
  return new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: places }).format(amount);
}

export function duration(seconds) {
  if (seconds === null || !Number.isFinite(seconds)) return NONE;
  if (seconds < 90) return `${Math.round(seconds * 10) / 10} s`;
  if (seconds < 5400) return `${Math.round(seconds / 6) / 10} min`;
  if (seconds < 129600) return `${Math.round(seconds / 360) / 10} h`;
  return `${Math.round(seconds / 8640) / 10} days`;
}

export function moment(text) {
  return text === null ? NONE : DATES.moment.format(new Date(text));
}

export function day(text, kind = "full") {
  return DATES[kind].format(new Date(`${text}T00:00:00Z`));
}

export function spanName(start, span) {
  return day(start, span === "month" ? "month" : "day");
}

export function ago(seconds) {
  return seconds < 10 ? "a moment ago" : `${duration(Math.round(seconds))} ago`;
}

export function plural(count, one, many = `${one}s`) {
  return `${whole(count)} ${count === 1 ? one : many}`;
}
