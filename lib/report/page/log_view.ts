/** What a build printed, with its colours. */

import { AnsiUp } from "ansi_up";
import type { PageLog } from "./data.ts";
import { Html, markup, nameUnseen } from "./html.ts";
import { countText } from "../words.ts";

/** A log, its lines numbered as in its file. */
export function logView({ lines, dropped, path }: PageLog, name: string): Html {
  const shown = lines.map((line) => markup`<span class="line">${colored(line)}\n</span>`);
  const label = `Log of ${name}`;
  return markup`<figure class="log">
<figcaption>${
    dropped > 0 && `${countText(dropped, "line")} before these are left out. `
  }<code>${path}</code></figcaption>
<pre tabindex="0" role="group" aria-label="${label}" style="counter-reset:line ${dropped}">${shown}</pre>
</figure>`;
}

/** One line's colours are kept; what would move a cursor or link elsewhere is left out. */
function colored(line: string): Html | string {
  if (!line.includes(ESCAPE)) return line;
  const ansi = new AnsiUp();
  ansi.use_classes = true;
  ansi.url_allowlist = {};
  const parts = line.split(ESCAPE).map(nameUnseen);
  return new Html(ansi.ansi_to_html(parts.join(ESCAPE)).replaceAll(ESCAPE, ""));
}

const ESCAPE = "\x1b";
