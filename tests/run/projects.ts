/** Projects that several files build. */

import { TestProject } from "../support/project.ts";

/** Two images that have nothing to do with each other. */
export const SITE = `{
  images: {
    site: files({ layers: [{ from: "site", to: "/srv" }], cmd: ["/serve"] }),
    other: files({ layers: [{ from: "other", to: "/srv" }] }),
  },
}`;

/** A project of {@link SITE}. */
export async function siteProject(): Promise<TestProject> {
  return await TestProject.resident({
    "site/index.html": "<h1>hello</h1>\n",
    "site/style.css": "h1 { color: red }\n",
    "other/a.txt": "a\n",
  }, SITE);
}

/** An image on another on a third, and one that needs the third. */
export const CHAIN = `{
  images: {
    base: files({ layers: [{ from: "base", to: "/base" }] }),
    middle: files({ base: { image: "base" }, layers: [{ from: "middle", to: "/middle" }] }),
    leaf: files({ base: { image: "middle" }, layers: [{ from: "leaf", to: "/leaf" }] }),
    beside: files({ needs: ["base"], layers: [{ from: "leaf", to: "/x" }] }),
  },
}`;

/** A project of {@link CHAIN}. */
export async function chainProject(): Promise<TestProject> {
  return await TestProject.resident({
    "base/a": "a\n",
    "middle/b": "b\n",
    "leaf/c": "c\n",
  }, CHAIN);
}
