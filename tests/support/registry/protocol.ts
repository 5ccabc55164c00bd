/**
 * The distribution protocol over a store in memory.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
 */

import { digestOf, type MemoryStore, Rejection } from "./store.ts";
import type { Kind } from "./interference.ts";

/** A request whose body has been read. */
export interface Call {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
}

/** An answer that has not been sent. */
export interface Reply {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body?: Uint8Array;
}

/** How a registry differs from the specification. */
export interface Quirks {
  /** The largest body of a PATCH with a Content-Range, in bytes: GHCR's is 4 MiB. */
  readonly contentRangeLimit?: number;
  /** The least that a piece may have, in bytes, as the answer to an upload's beginning tells. */
  readonly leastPiece?: number;
  /** The largest body of any request, in bytes. */
  readonly bodyLimit?: number;
  /** Answers 411 to bodies without a Content-Length. */
  readonly wantsLength?: boolean;
  /** Answers 401 to each mount, as GitLab does without a grant. */
  readonly refusesMounts?: boolean;
  /** Takes no mount, and begins an upload instead. */
  readonly ignoresMounts?: boolean;
  /** Answers to requests for referrers with a redirect to a web page, as GHCR does. */
  readonly redirectsReferrers?: boolean;
  /** Says of a manifest that is not there what others say of one that may not be read. */
  readonly hidesAbsent?: { readonly status: number; readonly code: string };
  /** Tags matching this are never replaced: the answer is this status with these words. */
  readonly immutable?: { readonly tags: RegExp; readonly status: number; readonly body: string };
  /** Keeps no more than so many bytes of each PATCH. */
  readonly keepsOfPatch?: number;
  /** Makes a Location of a path. @default the path */
  readonly location?: (path: string) => string;
}

/** What a request asks for. */
export interface Route {
  readonly kind: Kind;
  readonly repository: string;
  /** Tag, digest or name of an upload. */
  readonly reference: string;
}

/** Finds out what a request asks for. */
export function route(method: string, url: URL): Route {
  const match = /^\/v2\/(.+)\/(manifests|blobs\/uploads|blobs|referrers)\/([^/]*)$/
    .exec(url.pathname);
  if (match === null) {
    return { kind: url.pathname === "/v2/" ? "ping" : "other", repository: "", reference: "" };
  }
  const [, repository = "", what = "", reference = ""] = match;
  return { kind: kindOf(method, what, url), repository, reference };
}

function kindOf(method: string, what: string, url: URL): Kind {
  switch (what) {
    case "manifests":
      return method === "HEAD"
        ? "manifest-head"
        : method === "GET"
        ? "manifest-get"
        : "manifest-put";
    case "blobs":
      return method === "HEAD" ? "blob-head" : "blob-get";
    case "referrers":
      return "referrers";
  }
  if (method === "POST") return url.searchParams.has("mount") ? "mount" : "upload-begin";
  const kinds: Record<string, Kind> = {
    GET: "upload-status",
    PATCH: "upload-patch",
    PUT: "upload-put",
    DELETE: "upload-delete",
  };
  return kinds[method] ?? "other";
}

/** Does what a request asks for. */
export function handle(store: MemoryStore, quirks: Quirks, call: Call): Reply {
  const asked = route(call.method, call.url);
  try {
    if (call.body.length > (quirks.bodyLimit ?? Infinity)) return text(413, "too large");
    return HANDLERS[asked.kind](store, quirks, call, asked);
  } catch (error) {
    if (error instanceof Rejection) return refused(error.status, error.code);
    throw error;
  }
}

type Handler = (store: MemoryStore, quirks: Quirks, call: Call, route: Route) => Reply;

const HANDLERS: Record<Kind, Handler> = {
  ping: () => ({ status: 200, headers: {} }),
  other: () => refused(404, "UNSUPPORTED"),
  "manifest-head": readManifest,
  "manifest-get": readManifest,
  "manifest-put": (store, quirks, { headers, body }, { repository, reference }) => {
    const mediaType = headers["content-type"] ?? "";
    const { immutable } = quirks;
    const isKept = immutable?.tags.test(reference) && store.manifest(repository, reference);
    if (immutable !== undefined && isKept) {
      return { ...text(immutable.status, immutable.body), headers: JSON_TYPE };
    }
    const digest = store.putManifest(repository, reference, { mediaType, bytes: body });
    const location = `/v2/${repository}/manifests/${digest}`;
    return { status: 201, headers: { location, "docker-content-digest": digest } };
  },
  "blob-head": readBlob,
  "blob-get": readBlob,
  "upload-begin": (store, quirks, _, { repository }) => uploading(store, quirks, repository),
  mount: (store, quirks, { url }, { repository }) => {
    if (quirks.refusesMounts) return refused(401, "UNAUTHORIZED");
    const digest = url.searchParams.get("mount") ?? "";
    const bytes = store.blob(url.searchParams.get("from") ?? "", digest);
    if (bytes === undefined || quirks.ignoresMounts) return uploading(store, quirks, repository);
    store.putBlob(repository, digest, bytes);
    return { status: 201, headers: { "docker-content-digest": digest } };
  },
  "upload-status": (store, quirks, _, { repository, reference }) => {
    store.upload(repository, reference);
    return { status: 204, headers: progress(store, quirks, repository, reference) };
  },
  "upload-patch": patch,
  "upload-put": (store, _, { url, body }, { repository, reference }) => {
    const digest = url.searchParams.get("digest") ?? "";
    store.append(store.upload(repository, reference), body);
    store.commit(repository, reference, digest);
    return { status: 201, headers: { "docker-content-digest": digest } };
  },
  "upload-delete": (store, _, __, { repository, reference }) => {
    store.cancel(repository, reference);
    return { status: 204, headers: {} };
  },
  referrers: (_, { redirectsReferrers }) =>
    redirectsReferrers
      ? { status: 303, headers: { location: "/a-web-page" } }
      : refused(404, "UNSUPPORTED"),
};

function readManifest(
  store: MemoryStore,
  { hidesAbsent = { status: 404, code: "MANIFEST_UNKNOWN" } }: Quirks,
  { headers }: Call,
  { repository, reference }: Route,
): Reply {
  const manifest = store.manifest(repository, reference);
  if (manifest === undefined) return refused(hidesAbsent.status, hidesAbsent.code);
  const { mediaType, bytes } = manifest;
  // docker-registry takes a missing Accept for one that names only Docker's types.
  if (!headers.accept?.includes(mediaType)) return refused(404, "MANIFEST_UNKNOWN");
  return {
    status: 200,
    headers: { "content-type": mediaType, "docker-content-digest": digestOf(bytes) },
    body: bytes,
  };
}

function readBlob(
  store: MemoryStore,
  _: Quirks,
  { headers }: Call,
  { repository, reference }: Route,
): Reply {
  const bytes = store.blob(repository, reference);
  if (bytes === undefined) return refused(404, "BLOB_UNKNOWN");
  const common = {
    "content-type": "application/octet-stream",
    "docker-content-digest": reference,
  };
  const range = /^bytes=(\d+)-$/.exec(headers.range ?? "");
  if (range === null) return { status: 200, headers: common, body: bytes };
  const start = Number(range[1]);
  const contentRange = `bytes ${start}-${bytes.length - 1}/${bytes.length}`;
  return {
    status: 206,
    headers: { ...common, "content-range": contentRange },
    body: bytes.subarray(start),
  };
}

function patch(
  store: MemoryStore,
  quirks: Quirks,
  { headers, body }: Call,
  { repository, reference }: Route,
): Reply {
  if (quirks.wantsLength && headers["content-length"] === undefined) return text(411, "length");
  const upload = store.upload(repository, reference);
  const range = /^(\d+)-(\d+)$/.exec(headers["content-range"] ?? "");
  const tooLarge = body.length > (quirks.contentRangeLimit ?? Infinity);
  if (range !== null && (Number(range[1]) !== upload.size || tooLarge)) {
    return { status: 416, headers: progress(store, quirks, repository, reference) };
  }
  store.append(upload, body.subarray(0, quirks.keepsOfPatch ?? body.length));
  return { status: 202, headers: progress(store, quirks, repository, reference) };
}

function uploading(store: MemoryStore, quirks: Quirks, repository: string): Reply {
  const headers = progress(store, quirks, repository, store.begin(repository));
  const { leastPiece } = quirks;
  if (leastPiece !== undefined) headers["oci-chunk-min-length"] = String(leastPiece);
  return { status: 202, headers };
}

/** Where an upload goes on; the state in the query must come back with the next request. */
function progress(
  store: MemoryStore,
  quirks: Quirks,
  repository: string,
  id: string,
): Record<string, string> {
  const { size } = store.upload(repository, id);
  const path = `/v2/${repository}/blobs/uploads/${id}?_state=a%2Bb%3D%3D`;
  return {
    location: quirks.location?.(path) ?? path,
    range: `0-${Math.max(0, size - 1)}`,
    "docker-upload-uuid": id,
  };
}

const JSON_TYPE = { "content-type": "application/json" };

function refused(status: number, code: string): Reply {
  return {
    status,
    headers: { ...JSON_TYPE },
    body: new TextEncoder().encode(JSON.stringify({ errors: [{ code, message: code }] })),
  };
}

function text(status: number, body: string): Reply {
  return {
    status,
    headers: { "content-type": "text/plain" },
    body: new TextEncoder().encode(body),
  };
}
