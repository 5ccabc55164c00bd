/** The style sheet, in the order that its parts build on each other. */

import ground from "./style/ground.css" with { type: "text" };
import base from "./style/base.css" with { type: "text" };
import header from "./style/header.css" with { type: "text" };
import hero from "./style/hero.css" with { type: "text" };
import failures from "./style/failures.css" with { type: "text" };
import timeline from "./style/timeline.css" with { type: "text" };
import graph from "./style/graph.css" with { type: "text" };
import nodes from "./style/nodes.css" with { type: "text" };
import log from "./style/log.css" with { type: "text" };
import stacks from "./style/stacks.css" with { type: "text" };
import keys from "./style/keys.css" with { type: "text" };

/** The whole style sheet. */
export const style: string = [
  ground,
  base,
  header,
  hero,
  failures,
  timeline,
  graph,
  nodes,
  log,
  stacks,
  keys,
].join("\n");
