/** Images that tests publish, and what is in those they build. */

import { hexOf } from "../../lib/model/digest.ts";
import type { LocalImage } from "../../lib/model/image.ts";
import type { Index } from "../../lib/model/oci.ts";
import { filesOf, type FileTable } from "../dockerfile/files_of.ts";
import { openFolder } from "../dockerfile/reference.ts";
import { TestProject } from "../support/project.ts";

/** Publishes an image `tool:1` that holds a marker. */
export async function publishTool(host: string, marker: string): Promise<void> {
  await using project = await TestProject.resident(
    { "etc/marker": marker },
    `{ registries: { here: registry("${host}") }, images: { tool: files({
      layers: [{ from: "etc", to: "/etc" }], env: { MARK: "${marker}" } }) } }`,
  );
  await project.json(["push", "tool", "--tag", "1", "--force"]);
}

/** An image with all its layers, whichever registry they are in. */
export async function exported(project: TestProject, name: string): Promise<LocalImage> {
  const to = project.beside("exported");
  await Deno.remove(to, { recursive: true }).catch(() => {});
  await project.images("export", name, "--to", `oci:${to}`);
  const index: Index = JSON.parse(Deno.readTextFileSync(`${to}/index.json`));
  const blob = (hex: string) => `${to}/blobs/sha256/${hex}`;
  return openFolder(blob(hexOf(index.manifests[0]!.digest)), blob);
}

/** The files of an image, with their content. */
export async function filesIn(project: TestProject, name: string): Promise<FileTable> {
  return await filesOf((await exported(project, name)).layers, { texts: true });
}
