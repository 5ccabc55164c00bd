/** Images that their plugin publishes: the tool's output goes where a build's does. */

import type { Image } from "../../model/recipe.ts";
import type { PublishByTool } from "../../registry/publish/by_tool.ts";
import { BuildLog } from "../build_log.ts";
import type { Session } from "../session.ts";
import type { PushRequest } from "./request.ts";

/** How a plugin publishes an image by its tool's own means, if it does. */
export async function ownMeans(
  session: Session,
  image: Image,
  { destination: { registry: { insecure } } }: PushRequest,
): Promise<PublishByTool | undefined> {
  const { name } = image;
  const publisher = (await image.plugin.load()).publisher?.(image);
  if (publisher === undefined) return undefined;
  const { state, project: { root } } = session.circumstances;
  return async (to) => {
    const logFile = state.log(`${name}-push`);
    const log = new BuildLog(logFile, () => state.prepare());
    try {
      const context = {
        root,
        name,
        signal: session.signal,
        logFile,
        log: (line: string) => {
          log.line(line);
          session.emit({ kind: "output", id: name, line });
        },
        once: <T>(what: string, make: () => Promise<T>) =>
          session.shared.once(what, session.signal, make),
      };
      return await publisher({ image, insecure, ...to, context });
    } finally {
      log.close();
    }
  };
}
