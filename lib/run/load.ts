/** Handing images to the store of a container engine, as it reads Docker archives. */

import { hexOf } from "../model/digest.ts";
import { Fault, unavailableFault, usageFault } from "../model/errors.ts";
import { hostPlatform } from "../model/platform.ts";
import type { Image } from "../model/recipe.ts";
import { runProcess } from "../process/run.ts";
import { which } from "../process/which.ts";
import { dockerArchive } from "./export.ts";
import { localImage } from "./local_image.ts";
import { partsOf, targetImages } from "./published.ts";
import type { Outcome } from "./results.ts";
import type { ImageRecord } from "../store/records.ts";
import type { Session } from "./session.ts";
import type { SettledImage } from "./settled.ts";

/** Engines with a store that images can be loaded into, the preferred one first. */
const ENGINES = ["docker", "podman"] as const;

/** One of them. */
export type Engine = typeof ENGINES[number];

/**
 * The engine that was asked for, else the first that is installed and answers.
 *
 * @throws {Fault} where there is none.
 */
export async function chooseEngine(wanted = "auto"): Promise<Engine> {
  const named = ENGINES.find((name) => name === wanted);
  if (named === undefined && wanted !== "auto") {
    throw usageFault(`"${wanted}" has no store that images are loaded into`, {
      next: `use --engine ${ENGINES.join(" or ")}`,
    });
  }
  const installed = ENGINES.filter((name) => which(name) !== undefined);
  if (named !== undefined && installed.includes(named)) return named;
  const [first, ...others] = named === undefined ? installed : [];
  if (first === undefined) {
    throw unavailableFault(`This machine has no ${named ?? ENGINES.join(" or ")} to load into`, {
      next: named === undefined
        ? "install one, or use `images export`"
        : `install ${named}, or choose another --engine`,
    });
  }
  // Docker's client is often there without its daemon.
  if (others.length === 0 || await answers(first)) return first;
  return others[0]!;
}

async function answers(engine: Engine): Promise<boolean> {
  const { code } = await runProcess([engine, "version"], { allowFailure: true, capture: true });
  return code === 0;
}

/** Loads the targets among what was settled, each as `NAME:latest`. */
export async function loadTargets(
  session: Session,
  outcome: Outcome,
  engine: Engine,
): Promise<void> {
  for (const image of targetImages(session)) {
    const part = partToLoad(image, partsOf(outcome, image));
    if (part?.record === undefined) continue;
    session.signal.throwIfAborted();
    await load(session, engine, part.node.id, part.record);
  }
}

/** Engines run their own platform: of several it is this machine's. */
function partToLoad(image: Image, parts: readonly SettledImage[]): SettledImage | undefined {
  if (parts.length < 2) return parts[0];
  const host = parts.find((part) => part.node.platform === hostPlatform());
  if (host !== undefined) return host;
  const platforms = parts.map((part) => part.node.platform).join(", ");
  throw usageFault(`"${image.name}" is for ${platforms}, and an engine loads one platform`, {
    ...(image.place === undefined ? {} : { place: image.place }),
    next: "choose one with --platform",
  });
}

async function load(
  session: Session,
  engine: Engine,
  id: string,
  record: ImageRecord,
): Promise<void> {
  const { signal } = session;
  const tag = `${record.name}:latest`;
  const present = await runProcess([engine, "image", "inspect", "--format", "{{.Id}}", tag], {
    allowFailure: true,
    capture: true,
    signal,
  });
  if (present.stdout.trim().replace(/^sha256:/, "") === hexOf(record.imageId)) return;
  session.emit({ kind: "started", id, phase: "loading", detail: `into ${engine} as ${tag}` });
  const image = await localImage(session, record);
  const said: string[] = [];
  const { code } = await runProcess([engine, "load"], {
    stdin: dockerArchive(record.name, image, signal),
    allowFailure: true,
    signal,
    where: id,
    log: (line) => said.push(line),
  });
  if (code === 0) {
    session.emit({ kind: "loaded", id, engine, tag });
    return;
  }
  throw new Fault(`${engine} cannot load it: ${said.at(-1) ?? `status ${code}`}`, {
    where: id,
    next: `see that \`${engine} info\` works, and that its store has room`,
  });
}
