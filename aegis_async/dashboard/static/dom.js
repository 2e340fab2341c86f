// Elements from plain values: every text becomes a text node, so that no name in the data is ever read as HTML.

export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name.startsWith("--")) element.style.setProperty(name, value);
    else if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

export function byId(id) {
  return document.getElementById(id);
}

export function show(id, ...children) {
  byId(id).replaceChildren(...children);
}

// Without turn there is nothing to turn to: the first page says how much there is.
export function pager(answer, turn) {
  if (answer.pages <= 1) return null;
  if (!turn) return h("p", { class: "pager" }, `The first ${answer.items.length} of ${answer.total}.`);
  const button = (text, page) => h("button", { type: "button", disabled: page < 1 || page > answer.pages, onclick: () => turn(page) }, text);
  return h("nav", { class: "pager", "aria-label": "Pages" }, button("Previous", answer.page - 1), `Page ${answer.page} of ${answer.pages}`, button("Next", answer.page + 1));
}
