/** Images among the outputs of a flake: asked of Nix where it is there, else read off the files. */

import { runProcess } from "../../lib/process/run.ts";
import { which } from "../../lib/process/which.ts";
import { type Candidate, nameOf, withoutImage } from "./component.ts";
import { folderOf, type Repository } from "./repository.ts";

/** How long Nix may take to answer, in milliseconds. */
const PATIENCE = 60_000;

/** What was found, and what people should know of it. */
export interface NixFindings {
  readonly candidates: readonly Candidate[];
  readonly notes: readonly string[];
}

/** The images of the flake, or of the Nix file, at the top of a repository. */
export async function nixImages(repository: Repository): Promise<NixFindings> {
  const isFlake = repository.files.includes("flake.nix");
  if (!isFlake && !repository.files.includes("default.nix")) return { candidates: [], notes: [] };
  const read = readImages(repository);
  const title = nameOf(repository.title) ?? "image";
  if (!isFlake) {
    return {
      candidates: read.images.map((image) =>
        candidate(image, `-f default.nix -A ${image.attribute}`, image.file, title)
      ),
      notes: read.notes,
    };
  }
  const asked = await askedImages(repository);
  const images = asked ?? read.images;
  const notes = asked === undefined && images.length > 0
    ? [...read.notes, "Nix did not answer, so the flake's images were read off its files"]
    : read.notes;
  return {
    candidates: images.map((image) => candidate(image, `.#${image.attribute}`, image.file, title)),
    notes,
  };
}

interface NixImage {
  readonly attribute: string;
  /** What the image calls itself. */
  readonly name?: string | undefined;
  readonly file: string;
}

/** The name that a flake gives an output, where it says more than that it is an image. */
function flakeName(attribute: string): string | undefined {
  const name = nameOf(withoutImage(attribute));
  const isGeneric = ["default", "image", "container", "oci", "docker"].includes(name ?? "");
  return isGeneric ? undefined : name;
}

function candidate(
  { attribute, name }: NixImage,
  installable: string,
  source: string,
  title: string,
): Candidate {
  const plain = /^[A-Za-z_][\w'-]*$/.test(attribute) ? attribute : JSON.stringify(attribute);
  return {
    name: flakeName(attribute) ?? nameOf(name ?? "") ?? title,
    method: "nix2container",
    options: { installable: installable.replace(attribute, () => plain) },
    source,
    folder: folderOf(source),
    references: name === undefined ? [] : [name],
    omitted: [],
    calls: [attribute],
  };
}

/**
 * An image is a derivation of a JSON file that knows its image's name: nix2container's, not the
 * archives of dockerTools.
 */
const IMAGES = `packages: builtins.mapAttrs (attribute: package:
  let answer = builtins.tryEval (
    if package ? imageName && builtins.match ".*[.]json" package.name != null
    then package.imageName else null);
  in if answer.success then answer.value else null) packages`;

async function askedImages({ root }: Repository): Promise<NixImage[] | undefined> {
  if (which("nix") === undefined) return undefined;
  const system = Deno.build.arch === "aarch64" ? "aarch64-linux" : "x86_64-linux";
  const command = [
    ...["nix", "--extra-experimental-features", "nix-command flakes", "eval", "--json"],
    ...["--offline", "--no-write-lock-file", `.#packages.${system}`, "--apply", IMAGES],
  ];
  try {
    const { code, stdout } = await runProcess(command, {
      cwd: root,
      capture: true,
      allowFailure: true,
      signal: AbortSignal.timeout(PATIENCE),
    });
    if (code !== 0) return undefined;
    const answers = Object.entries(JSON.parse(stdout) as Record<string, string | null>);
    return distinct(
      answers.filter(([, name]) => name !== null)
        .map(([attribute, name]) => ({ attribute, name: name!, file: "flake.nix" })),
    );
  } catch {
    return undefined;
  }
}

/** `default` is another name for one of the others. */
function distinct(images: readonly NixImage[]): NixImage[] {
  const others = images.filter(({ attribute }) => attribute !== "default");
  return images.filter(({ attribute, name }) =>
    attribute !== "default" || !others.some((other) => other.name === name)
  );
}

/** `packages.web-image = nix2container.buildImage {`, with what stands in front of `buildImage`. */
const BUILD_IMAGE =
  /(?<![\w'-])((?:[\w'-]+|"[^"\n]+"|\$\{[^}\n]+\})(?:\.(?:[\w'-]+|"[^"\n]+"|\$\{[^}\n]+\})){0,20})\s*=\s*\(?((?:[\w'-]+\.){0,20})(build(?:Layered)?Image|streamLayeredImage)\b/g;

function readImages(
  { files, read }: Repository,
): { images: NixImage[]; notes: string[] } {
  const images = new Map<string, NixImage>();
  const notes: string[] = [];
  for (const file of files.filter((path) => path.endsWith(".nix"))) {
    const text = withoutComments(read(file));
    for (const match of text.matchAll(BUILD_IMAGE)) {
      const [whole, path = "", from = "", builder] = match;
      const attribute = lastAttribute(path);
      if (attribute === undefined) continue;
      if (builder !== "buildImage" || from.includes("dockerTools")) {
        notes.push(
          `${file}: ${attribute} is made by dockerTools, whose archives are not built here; make it with nix2container.buildImage, which takes the same name and config`,
        );
        continue;
      }
      const call = text.slice(match.index + whole.length, match.index + whole.length + 2000);
      const name = /^\s*(?:rec\s*)?\{[^=]*?\bname\s*=\s*"([^"$]+)"/.exec(call)?.[1];
      images.set(attribute, { attribute, name, file });
    }
  }
  return { images: distinct([...images.values()]), notes };
}

/** Blanks out comments; a `#` inside a word, as in `.#app`, begins none. */
function withoutComments(text: string): string {
  let out = "";
  let at = 0;
  while (at < text.length) {
    const slash = text.indexOf("/*", at);
    const hash = text.indexOf("#", at);
    const start = Math.min(...[slash, hash].filter((each) => each >= 0));
    if (!Number.isFinite(start)) break;
    const isLine = start === hash;
    const begins = !isLine || start === 0 || /\s/.test(text[start - 1]!);
    const close = isLine ? text.indexOf("\n", start) : text.indexOf("*/", start + 2);
    const end = close < 0 ? text.length : isLine ? close : close + 2;
    out += text.slice(at, start) + (begins ? " " : text.slice(start, start + 1));
    at = begins ? end : start + 1;
  }
  return out + text.slice(at);
}

function lastAttribute(path: string): string | undefined {
  const last = path.match(/"[^"]+"|\$\{[^}]+\}|[^.]+/g)?.at(-1) ?? "";
  return last.startsWith("$") ? undefined : last.replace(/^"|"$/g, "");
}
