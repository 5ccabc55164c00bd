/** The page of a run: one file, nothing to fetch, readable without a script. */

import script from "./page.js" with { type: "text" };
import { style } from "./style.ts";
import type { PageData } from "./data.ts";
import { graphView } from "./graph_view.ts";
import { hero } from "./hero.ts";
import { Html, markup } from "./html.ts";
import { failuresView, imagesView } from "./images_view.ts";
import { layersView } from "./layers_view.ts";
import { timelineView } from "./timeline_view.ts";

/** Renders the page. */
export async function renderPage(data: PageData): Promise<string> {
  const { project, record } = data;
  const sections = [
    ["failures", "Failures", failuresView(data)],
    ["timeline", "Timeline", timelineView(data)],
    ["graph", "Graph", graphView(data)],
    ["nodes", "Images", imagesView(data)],
    ["layers", "Layers", layersView(data)],
    ["notes", "Notes", notesView(data)],
  ] as const;
  const there = sections.filter(([, , view]) => view !== undefined);
  const page = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${await policy()}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${project}: images ${record.document.command}</title>
<link rel="icon" href="${ICON}">
<style>${new Html(style)}</style>
</head>
<body>
<a class="skip" href="#outcome">Skip to the outcome</a>
<header>
<a class="brand" href="#outcome">${MARK}<span>${project}</span></a>
<nav aria-label="Sections">${there.map(([id, name]) => markup`<a href="#${id}">${name}</a>`)}</nav>
<div class="tools" hidden>
<input type="search" id="filter" placeholder="Filter" aria-label="Filter by name" autocomplete="off" spellcheck="false">
<button type="button" id="theme" title="Light or dark (t)" aria-label="Light or dark">◐</button>
<button type="button" id="help" title="Keys (?)" aria-label="Keys">?</button>
</div>
</header>
<main>
${hero(data)}
${there.map(([, , view]) => view)}
</main>
<footer>Made by <code>images report</code>. This page is complete: it asks no host for anything.</footer>
${KEYS}
<script>${new Html(script)}</script>
</body>
</html>
`;
  return page.text;
}

/** What people were told about the run as a whole. */
function notesView({ record }: PageData): Html | undefined {
  const general = record.notices.filter(({ id }) => id === undefined);
  if (general.length === 0) return undefined;
  return markup`<section id="notes" aria-labelledby="notes-title">
<h2 id="notes-title">Notes</h2>
<ul>${general.map(({ message }) => markup`<li>${message}</li>`)}</ul>
</section>`;
}

/**
 * Nothing is loaded from anywhere, and no script runs but the page's own: should a text ever get
 * past the escaping, the browser still refuses it.
 */
async function policy(): Promise<string> {
  return [
    "default-src 'none'",
    "img-src data:",
    `style-src-elem 'sha256-${await base64Digest(style)}'`,
    "style-src-attr 'unsafe-inline'",
    `script-src 'sha256-${await base64Digest(script)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}

async function base64Digest(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return btoa(String.fromCharCode(...new Uint8Array(digest)));
}

/** Three layers on top of each other. */
const MARK = new Html(
  '<svg class="logo" viewBox="0 0 24 24" aria-hidden="true"><path d="M12 2 22 7 12 12 2 7Z"/><path d="m2 12 10 5 10-5"/><path d="m2 17 10 5 10-5"/></svg>',
);

const ICON = "data:image/svg+xml," + encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#0b7c68" stroke-width="2" stroke-linejoin="round"><path fill="#0b7c68" d="M12 2 22 7 12 12 2 7Z"/><path d="m2 12 10 5 10-5"/><path d="m2 17 10 5 10-5"/></svg>',
);

const KEYS = new Html(
  `<dialog id="keys" aria-labelledby="keys-title"><h2 id="keys-title">Keys</h2><dl>
<dt><kbd>j</kbd> <kbd>k</kbd></dt><dd>next and previous image or task</dd>
<dt><kbd>Enter</kbd></dt><dd>open or close it</dd>
<dt><kbd>e</kbd></dt><dd>open or close all</dd>
<dt><kbd>/</kbd></dt><dd>filter by name</dd>
<dt><kbd>t</kbd></dt><dd>light or dark</dd>
<dt><kbd>Esc</kbd></dt><dd>clear the filter, close this</dd>
</dl><form method="dialog"><button>Close</button></form></dialog>`,
);
