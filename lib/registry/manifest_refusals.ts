/** What registries mean that refuse to take a manifest. */

import { RegistryFault } from "./faults.ts";

/**
 * Codes for a part of a manifest that is not there, or not yet: docker-registry says so of a blob
 * that another upload is linking at that moment, of the manifest's own digest too.
 */
const LACKING = ["MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "MANIFEST_UNKNOWN", "DIGEST_INVALID"];

/** Statuses with which registries refuse to replace a tag. */
const KEEPING = [400, 401, 403, 405, 409, 412, 422, 423];

/** Codes for a tag that is kept as it is. */
const KEPT_CODES = ["TAG_INVALID", "TAG_IMMUTABLE", "TAG_ALREADY_EXISTS", "IMAGETAGALREADYEXISTS"];

/**
 * Words for the same: of Amazon ECR, Artifact Registry, Harbor, Quay, GitLab, Docker Hub, Nexus,
 * Artifactory and Azure.
 */
const KEPT_WORDS =
  /immutab|already exists|cannot be overwritten|overwrit|redeploy|does not allow updating|protected tag|tag is protected|tag is locked|cannot update tag/i;

/** The fault of a manifest that is refused, with what that means. */
export function refusalOfManifest(
  fault: RegistryFault,
  where: string,
  reference: string,
): RegistryFault {
  const { status = 0, codes = [], text = "", temporary = false } = fault.facts;
  if (temporary) return fault;
  const isTag = !reference.includes(":");
  const isKept = codes.some((code) => KEPT_CODES.includes(code)) || KEPT_WORDS.test(text);
  if (isTag && KEEPING.includes(status) && (isKept || status === 409 || status === 412)) {
    const said = text === "" ? "" : `: ${text}`;
    return new RegistryFault(
      `The registry does not let the tag ${reference} be replaced (status ${status}${said})`,
      { ...fault.facts, denied: false, immutable: true },
      {
        where: `${where}:${reference}`,
        next: "except it from the registry's rules for immutable tags, or write another tag",
      },
    );
  }
  const isLacking = codes.some((code) => LACKING.includes(code));
  if (!isLacking || (status !== 400 && status !== 404)) return fault;
  return new RegistryFault(
    `${fault.message}; its parts were sent before`,
    { ...fault.facts, lacksPart: true },
    {
      where,
      next: "push again; if it stays so, the registry loses what it is sent: look at its own log",
    },
  );
}
