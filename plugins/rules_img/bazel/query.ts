/**
 * The answer of `bazel query --output=xml`: targets, what they are made from, and where layers of
 * pulled base images come from. All of Bazel's versions print this format alike, but for the labels,
 * which are brought to one form.
 *
 * @see https://bazel.build/query/language#xml
 */

import { type Digest, isDigest } from "../../../lib/model/digest.ts";
import { SaxesParser, type SaxesTagPlain } from "saxes";
import { canonicalLabel } from "./label.ts";

/** A target of a query's answer. */
export interface QueriedTarget {
  readonly kind: "rule" | "source-file" | "generated-file" | "package-group";
  /**
   * Absolute path of the BUILD file that declares it; of a loaded file, of the one that loads it; of
   * a source file, since Bazel 6, its own.
   */
  readonly location?: string;
  /** Class of a rule. */
  readonly ruleClass?: string;
  /** Labels of what it is made from. */
  readonly inputs: readonly string[];
  /** What a `toolchain` rule stands for: for Bazel that is no edge. */
  readonly toolchain?: string;
  /** Attributes of an image that was pulled. */
  readonly pulled?: PulledImage;
}

/** What rules_img's `image_import` says of a base image, all by digest. */
export interface PulledImage {
  /** Hosts to pull it from. */
  readonly registries: readonly string[];
  readonly repository: string;
  /** Digest of the index or manifest that was asked for. */
  readonly digest?: Digest;
  /** Digest → the text of an index, a manifest or a config. */
  readonly documents: ReadonlyMap<string, string>;
  /** Digests of blobs that are files of the workspace. */
  readonly files: ReadonlySet<Digest>;
}

/** Label → target. */
export type Queried = ReadonlyMap<string, QueriedTarget>;

/** A target while its element is open. */
interface Open {
  readonly label: string;
  readonly kind: QueriedTarget["kind"];
  readonly location: string | undefined;
  readonly ruleClass: string | undefined;
  readonly inputs: string[];
  readonly attributes: Map<string, string[]>;
}

const KINDS: readonly string[] = ["rule", "source-file", "generated-file", "package-group"];

/** The attributes that are looked at; those of other rules can be large. */
const ATTRIBUTES: readonly string[] = [
  ...["registries", "repository", "digest", "data", "files", "toolchain"],
];

/** Reads an answer line by line, as it is printed. */
export class QueryReader {
  readonly #parser = new SaxesParser<{ xmlns: false }>();
  readonly #targets = new Map<string, QueriedTarget>();
  #open: Open | undefined;
  /** Values of the attribute that is open. */
  #values: string[] | undefined;
  #depth = 0;

  constructor() {
    this.#parser.on("opentag", (tag) => this.#opened(tag));
    this.#parser.on("closetag", () => this.#closed());
    this.#parser.on("error", (error) => {
      throw error;
    });
  }

  /** Takes the next line, without its ending. */
  line(text: string): void {
    this.#parser.write(`${text}\n`);
  }

  /** All targets that were read. */
  get targets(): Queried {
    return this.#targets;
  }

  #opened({ name, attributes: given }: SaxesTagPlain): void {
    this.#depth += 1;
    if (this.#depth === 2 && KINDS.includes(name)) {
      const source = given["generating-rule"];
      this.#open = {
        label: canonicalLabel(given.name ?? ""),
        kind: name as Open["kind"],
        location: given.location?.replace(/(?::\d+)+$/, ""),
        ruleClass: given.class,
        inputs: source === undefined ? [] : [canonicalLabel(source)],
        attributes: new Map(),
      };
    } else if (this.#depth === 3) this.#member(name, given);
    else if (this.#values !== undefined && given.value !== undefined) {
      this.#values.push(given.value);
    }
  }

  #member(element: string, { name, value }: Readonly<Record<string, string>>): void {
    const open = this.#open;
    if (open === undefined || name === undefined) return;
    if (element === "rule-input") open.inputs.push(canonicalLabel(name));
    else if (open.kind === "rule" && ATTRIBUTES.includes(name)) {
      this.#values = value === undefined ? [] : [value];
      open.attributes.set(name, this.#values);
    }
  }

  #closed(): void {
    this.#depth -= 1;
    if (this.#depth === 2) this.#values = undefined;
    if (this.#depth !== 1 || this.#open === undefined) return;
    const { label, attributes, location, ruleClass, ...target } = this.#open;
    const pulled = pulledImage(attributes);
    const [toolchain] = ruleClass === "toolchain" ? attributes.get("toolchain") ?? [] : [];
    this.#targets.set(label, {
      ...target,
      ...(location === undefined ? {} : { location }),
      ...(ruleClass === undefined ? {} : { ruleClass }),
      ...(toolchain === undefined ? {} : { toolchain: canonicalLabel(toolchain) }),
      ...(pulled === undefined ? {} : { pulled }),
    });
    this.#open = undefined;
  }
}

/** A rule that names a repository and holds a manifest is an image that was pulled. */
function pulledImage(attributes: ReadonlyMap<string, readonly string[]>): PulledImage | undefined {
  const [repository] = attributes.get("repository") ?? [];
  const documents = pairs(attributes.get("data") ?? []);
  if (repository === undefined || documents.size === 0) return undefined;
  const [digest] = attributes.get("digest") ?? [];
  return {
    registries: attributes.get("registries") ?? [],
    repository,
    ...(isDigest(digest) ? { digest } : {}),
    documents,
    files: new Set((attributes.get("files") ?? []).filter(isDigest)),
  };
}

function pairs(values: readonly string[]): Map<string, string> {
  const entries = new Map<string, string>();
  for (let at = 0; at + 1 < values.length; at += 2) entries.set(values[at]!, values[at + 1]!);
  return entries;
}
