// What a script adds to the page: theme, filter, keys, and the graph's neighbours on hover.
"use strict";

const root = document.documentElement;
const all = (selector) => [...document.querySelectorAll(selector)];
const filter = document.getElementById("filter");
const found = document.getElementById("found");
const keys = document.getElementById("keys");
const cards = all("details.card");

document.querySelector(".tools").hidden = false;

// A page opened from disk may be denied storage.
const stored = {
  get: () => {
    try {
      return localStorage.getItem("images-theme") ?? "";
    } catch {
      return "";
    }
  },
  set: (theme) => {
    try {
      localStorage.setItem("images-theme", theme);
    } catch {
      // The choice lasts as long as the page does.
    }
  },
};

root.dataset.theme = stored.get();

function toggleTheme() {
  const dark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  stored.set(root.dataset.theme);
}

function applyFilter() {
  const wanted = filter.value.trim().toLowerCase();
  let count = 0;
  for (const element of all("[data-node]")) {
    const hit = element.dataset.node.toLowerCase().includes(wanted);
    if (element.matches(".box")) element.classList.toggle("dimmed", !hit);
    else element.hidden = !hit;
    if (hit && element.matches(".card")) count += 1;
  }
  found.textContent = wanted === "" ? "" : `${count} of ${cards.length} match “${wanted}”.`;
}

/** Opens what the address points at, so that links from bars and boxes show something. */
function openTarget() {
  const target = document.getElementById(location.hash.slice(1));
  if (!(target instanceof HTMLDetailsElement)) return;
  target.hidden = false;
  target.open = true;
  target.querySelector("summary").focus({ preventScroll: true });
  target.scrollIntoView();
}

function move(step) {
  const shown = cards.filter((card) => !card.hidden);
  if (shown.length === 0) return;
  const at = shown.findIndex((card) => card.contains(document.activeElement));
  const next = at < 0 ? (step > 0 ? 0 : shown.length - 1) : at + step;
  const card = shown[Math.min(shown.length - 1, Math.max(0, next))];
  card.querySelector("summary").focus({ preventScroll: true });
  card.scrollIntoView({ block: "nearest" });
}

function toggleAll() {
  const open = cards.some((card) => !card.hidden && !card.open);
  for (const card of cards) if (!card.hidden) card.open = open;
}

const ACTIONS = {
  j: () => move(1),
  k: () => move(-1),
  e: toggleAll,
  t: toggleTheme,
  "/": () => filter.focus(),
  "?": () => keys.showModal(),
};

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || keys.open) return;
  if (event.target === filter) {
    if (event.key !== "Escape") return;
    filter.value = "";
    applyFilter();
    filter.blur();
    return;
  }
  const action = ACTIONS[event.key];
  if (action === undefined) return;
  event.preventDefault();
  action();
});

/** All that a node needs, and all that needs it. */
function related(id, edges) {
  const reached = new Set([id]);
  for (const [from, to] of [["to", "from"], ["from", "to"]]) {
    const open = [id];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      for (const edge of edges) {
        if (edge.dataset[from] !== next || reached.has(edge.dataset[to])) continue;
        reached.add(edge.dataset[to]);
        open.push(edge.dataset[to]);
      }
    }
  }
  return reached;
}

const graph = document.querySelector("svg.graph");
const edges = all("svg.graph .edge");

function highlight(id) {
  const reached = id === undefined ? undefined : related(id, edges);
  graph.classList.toggle("focused", reached !== undefined);
  for (const box of all("svg.graph .box")) {
    box.classList.toggle("near", reached?.has(box.dataset.node) ?? false);
  }
  for (const edge of edges) {
    const near = reached?.has(edge.dataset.from) && reached.has(edge.dataset.to);
    edge.classList.toggle("near", near ?? false);
  }
}

for (const box of all("svg.graph .box")) {
  for (const type of ["pointerenter", "focus"]) {
    box.addEventListener(type, () => highlight(box.dataset.node));
  }
  for (const type of ["pointerleave", "blur"]) box.addEventListener(type, () => highlight());
}

document.getElementById("theme").addEventListener("click", toggleTheme);
document.getElementById("help").addEventListener("click", () => keys.showModal());
filter.addEventListener("input", applyFilter);
addEventListener("hashchange", openTarget);
openTarget();
