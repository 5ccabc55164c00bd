/** Moving mutable tags: forward only, and after all content is there. */

import { Fault } from "../../model/errors.ts";
import { MediaType } from "../../model/oci.ts";
import type { DestinationResult } from "../../model/result.ts";
import { RegistryFault, unlessDenied } from "../faults.ts";
import type { Ancestry } from "./git_facts.ts";
import { annotationsOf, isNoImage, type Published, readTag } from "./lookup.ts";
import { MOST_NOTED, readNotes, type TagNote, writeNotes } from "./tag_notes.ts";
import { referenceOf, type Target } from "./target.ts";

/** What decides whether a tag moves. */
export interface MovePolicy {
  /** Our commit, where there is one. */
  readonly revision: () => Promise<string | undefined>;
  /** Whether commits are noted beside tags. */
  readonly notes: boolean;
  /** Moves it whatever it stands for now. */
  readonly force: boolean;
  /** Only says what would be done. */
  readonly dryRun: boolean;
  /** How another commit stands to ours. */
  readonly ancestry: (candidate: string, revision: string) => Promise<Ancestry>;
  /** Tells people what is no failure. */
  readonly notice: (message: string) => void;
}

/** What a mutable tag stands for, and for which commits. */
interface Present {
  readonly published?: Published | undefined;
  /** Why what is there is no image: it has no say. */
  readonly unreadable?: string;
  /** The note on what it stands for; of an image without one, its own commit. */
  readonly note?: TagNote | undefined;
  /** All notes on the tag, where there are any. */
  readonly notes?: readonly TagNote[] | undefined;
}

/**
 * Lets a tag stand for a manifest, unless what it stands for now is newer.
 *
 * @param top undefined in a dry run, of what is not there yet.
 */
export async function moveTag(
  target: Target,
  tag: string,
  top: Published | undefined,
  policy: MovePolicy,
): Promise<DestinationResult> {
  const { registry } = target;
  const reference = referenceOf(target, tag);
  const [present, revision] = await Promise.all([
    readPresent(target, tag, policy),
    policy.revision(),
  ]);
  const { published } = present;
  if (top !== undefined && published?.descriptor.digest === top.descriptor.digest) {
    if (revision !== undefined) await noteAgain(target, tag, present, revision, policy);
    return { registry, reference, digest: top.descriptor.digest, status: "current" };
  }
  const newer = await whyStay(present, reference, revision, policy);
  if (published !== undefined && newer !== undefined) {
    const { digest } = published.descriptor;
    return { registry, reference, digest, status: "skipped", detail: newer };
  }
  if (top === undefined) return { registry, reference, status: "retagged" };
  const { digest } = top.descriptor;
  if (!policy.dryRun) {
    const note = revision === undefined ? undefined : { digest, revisions: [revision] };
    await writeTag(target, tag, top, note, present, policy);
  }
  return { registry, reference, digest, status: "retagged" };
}

/** Lets a tag stand for a manifest by hand, whatever it stands for now; false if it does already. */
export async function promoteTag(
  target: Target,
  tag: string,
  top: Published,
  from: string | undefined,
  policy: MovePolicy,
): Promise<boolean> {
  const forced = { ...policy, force: true };
  const [present, source] = await Promise.all([
    readPresent(target, tag, forced),
    from === undefined ? undefined : readNotes(target.client, target.repository, from),
  ]);
  const { digest } = top.descriptor;
  const isThere = present.published?.descriptor.digest === digest;
  const own = source?.find((each) => each.digest === digest)?.revisions ?? ownRevisions(top);
  // Whoever moves a tag by hand knows what it stood for: jobs of those commits are no news.
  const revisions = [...new Set([...own, ...present.note?.revisions ?? []])].slice(0, MOST_NOTED);
  const note = { digest, revisions, promoted: true };
  const isNoted = isThere && present.notes?.[0]?.digest === digest && present.notes[0].promoted;
  if (isNoted) return false;
  if (isThere && revisions.length > 0) await keepNotes(target, tag, [note], present, forced);
  if (!isThere) await writeTag(target, tag, top, note, present, forced);
  return !isThere;
}

/**
 * Looks again at a tag that was moved, after a moment: two runs that moved it at once saw nothing of
 * each other. The newer commit's image stays.
 *
 * @returns why it stands for another image, where it does.
 */
export async function settleTag(
  target: Target,
  tag: string,
  top: Published,
  policy: MovePolicy,
): Promise<string | undefined> {
  const revision = await policy.revision();
  if (revision === undefined) return undefined;
  const reference = referenceOf(target, tag);
  const present = await readPresent(target, tag, policy);
  const { published, note, notes = [] } = present;
  const ours = { digest: top.descriptor.digest, revisions: [revision] };
  if (published?.descriptor.digest === ours.digest) {
    const [last] = notes;
    if (last === undefined || last.digest === ours.digest) return undefined;
    const theirs = await readable(target, last.digest);
    if (theirs === undefined || !await isNewer(last, revision, policy)) {
      await keepNotes(target, tag, [ours, last], present, policy);
      return undefined;
    }
    await writeTag(target, tag, theirs, last, { ...present, note: ours }, policy);
    return toldNewer(reference, last, revision, policy);
  }
  if (published === undefined || note === undefined) return undefined;
  for (const theirs of note.revisions) {
    if (theirs === revision || await policy.ancestry(revision, theirs) !== "descendant") {
      return undefined;
    }
  }
  await writeTag(target, tag, top, ours, present, policy);
  return undefined;
}

async function readable(
  { client, repository }: Target,
  digest: string,
): Promise<Published | undefined> {
  try {
    return await readTag(client, repository, digest);
  } catch (error) {
    if (isNoImage(error)) return undefined;
    throw error;
  }
}

/** What is at a tag; with force nothing that cannot be read is in the way. */
async function readPresent(
  target: Target,
  tag: string,
  { force, notes: wanted, revision }: MovePolicy,
): Promise<Present> {
  const { client, repository } = target;
  const leave = (error: unknown) => {
    if (!(error instanceof Fault) || error.kind === "interrupted") throw error;
    if (!force && !isNoImage(error)) throw error;
    return error.message;
  };
  const askForNotes = async () => {
    // Who knows no commit of its own compares none.
    if (!wanted || (!force && await revision() === undefined)) return undefined;
    return await readNotes(client, repository, tag).catch((error) => void leave(error));
  };
  const [there, notes] = await Promise.all([
    unlessDenied(readTag(client, repository, tag)).catch(leave),
    askForNotes(),
  ]);
  if (typeof there === "string") return { unreadable: there, notes };
  if (there === undefined) return { notes };
  const type = there.manifest?.config.mediaType ?? MediaType.config;
  if (type !== MediaType.config && type !== MediaType.dockerConfig) {
    return { published: there, unreadable: `its config is ${type}`, notes };
  }
  const own = { digest: there.descriptor.digest, revisions: ownRevisions(there) };
  const note = notes?.find(({ digest }) => digest === own.digest) ??
    (own.revisions.length > 0 ? own : undefined);
  return { published: there, note, notes };
}

function ownRevisions(published: Published): string[] {
  const revision = annotationsOf(published)["org.opencontainers.image.revision"];
  return revision === undefined ? [] : [revision];
}

/**
 * The tag stands for our image already: for our commit too from now on. Which commit is newer need
 * not be known for that, and git is not asked as long as there is room for both.
 */
async function noteAgain(
  target: Target,
  tag: string,
  present: Present,
  revision: string,
  policy: MovePolicy,
): Promise<void> {
  const { note, published } = present;
  const before = note?.revisions ?? [];
  if (!policy.notes || policy.dryRun || before.includes(revision)) return;
  const kept = before.length < MOST_NOTED
    ? before
    : (await Promise.all(before.map(async (theirs) =>
      await policy.ancestry(revision, theirs) === "descendant" ? [] : [theirs]
    ))).flat().slice(0, MOST_NOTED - 1);
  const { digest } = published!.descriptor;
  const again = { ...note, digest, revisions: [revision, ...kept] };
  await keepNotes(target, tag, [again], present, policy);
}

/** Notes what a tag will stand for and what it stood for, then moves it. */
async function writeTag(
  target: Target,
  tag: string,
  top: Published,
  note: TagNote | undefined,
  present: Present,
  policy: MovePolicy,
): Promise<void> {
  const { client, repository } = target;
  if (note !== undefined && note.revisions.length > 0) {
    const before = present.note === undefined ? [] : [present.note];
    await keepNotes(target, tag, [note, ...before], present, policy);
  }
  await client.putManifest(repository, tag, top.descriptor.mediaType, top.bytes);
}

/** A registry that takes no notes still takes tags. */
async function keepNotes(
  target: Target,
  tag: string,
  notes: readonly TagNote[],
  { notes: before }: Present,
  policy: MovePolicy,
): Promise<void> {
  if (!policy.notes) return;
  try {
    await writeNotes(target, tag, notes, before !== undefined);
  } catch (error) {
    if (!(error instanceof Fault) || error.kind === "interrupted") throw error;
    // Where no tag is written twice, none moves back.
    if (error instanceof RegistryFault && error.facts.immutable) return;
    const reference = referenceOf(target, tag);
    policy.notice(`${reference}: its commit cannot be noted beside it: ${error.message}`);
  }
}

/** Why a tag must stay, if it must. */
async function whyStay(
  { note, unreadable }: Present,
  reference: string,
  revision: string | undefined,
  policy: MovePolicy,
): Promise<string | undefined> {
  if (unreadable !== undefined) {
    const moves = policy.dryRun ? "would move" : "moves";
    policy.notice(`${reference} ${moves}, though what it stands for is no image: ${unreadable}`);
  }
  if (policy.force || note === undefined || revision === undefined) return undefined;
  if (await isNewer(note, revision, policy)) {
    return toldNewer(reference, note, revision, policy);
  }
  if (note.promoted && note.revisions.includes(revision)) {
    const why = "it was promoted to another image than this commit's";
    policy.notice(`${reference} stays: ${why}; --force moves it`);
    return why;
  }
  for (const theirs of note.revisions) {
    if (theirs === revision || await policy.ancestry(theirs, revision) !== "unknown") continue;
    const why = `it is not known whether its commit ${short(theirs)} is newer than ours`;
    policy.notice(`${reference} ${policy.dryRun ? "would move" : "moves"}, though ${why}`);
    break;
  }
  return undefined;
}

/** Whether a tag was moved for a descendant of our commit. */
async function isNewer(
  { revisions }: TagNote,
  revision: string,
  { ancestry }: MovePolicy,
): Promise<boolean> {
  for (const theirs of revisions) {
    if (await ancestry(theirs, revision) === "descendant") return true;
  }
  return false;
}

function toldNewer(
  reference: string,
  { revisions: [theirs] }: TagNote,
  revision: string,
  policy: MovePolicy,
): string {
  const why = `it stands for ${short(theirs!)}, which is newer than our ${short(revision)}`;
  policy.notice(`${reference} stays: ${why}; --force moves it`);
  return why;
}

function short(revision: string): string {
  return revision.slice(0, 12);
}
