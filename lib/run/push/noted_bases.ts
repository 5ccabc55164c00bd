/**
 * Bases that only a tool knows, noted on what is published to a private registry: a machine without
 * the tool finds the image by its sources, and must know whether it may be copied to a public one.
 */

import type { RemoteBase } from "../../model/plugin.ts";
import { parseManifest } from "../../oci/documents.ts";
import { BASES_ANNOTATION } from "../../registry/publish/lookup.ts";
import type { ImageRecord } from "../../store/records.ts";
import type { Session } from "../session.ts";
import type { SettledImage } from "../settled.ts";
import { toolBases } from "./remote_bases.ts";

/** The annotation of an image whose tool has told its bases; none where it need not be asked. */
export async function basesNote(settled: SettledImage): Promise<Record<string, string>> {
  const { description, identity, record } = settled;
  const described = description?.remoteBases ?? record?.description.value.remoteBases;
  const isTold = described !== undefined || (identity ?? record?.parts.identity) !== undefined;
  if (!isTold || isUntold(settled)) return {};
  const bases = [...described ?? [], ...await toolBases(settled, () => Promise.resolve(true))];
  return { [BASES_ANNOTATION]: JSON.stringify(bases.map(({ references }) => references)) };
}

/** Whether only a tool could tell the bases of an image, which was found by its sources instead. */
export function isUntold({ description, identity, record }: SettledImage): boolean {
  if ((description ?? record?.description.value)?.undiscovered === true) return true;
  const known = identity ?? record?.parts.identity;
  return typeof known === "object" && known !== null && "sourceKey" in known;
}

/** The bases that are noted on a published image; undefined where nothing is. */
export async function notedBases(
  session: Session,
  record: ImageRecord & { readonly remote: NonNullable<ImageRecord["remote"]> },
): Promise<RemoteBase[] | undefined> {
  const { layout } = session.circumstances;
  const { digest } = record.manifest;
  const bytes = layout.has(digest)
    ? await layout.read(digest)
    : await session.registries.readDocument(record.remote, record.manifest);
  const note = parseManifest(bytes, record.name).annotations?.[BASES_ANNOTATION];
  try {
    const bases: unknown = JSON.parse(note ?? "");
    if (Array.isArray(bases) && bases.every(isReferences)) {
      return bases.map((references) => ({ references }));
    }
  } catch {
    // Whoever wrote that told nothing.
  }
  return undefined;
}

function isReferences(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((each) => typeof each === "string");
}
