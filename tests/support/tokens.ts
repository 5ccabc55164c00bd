/**
 * A token server on loopback: RS256 JWTs that docker-registry accepts, for registries of our own too.
 *
 * @see https://distribution.github.io/distribution/spec/auth/jwt/
 */

import { lazy } from "../../lib/model/lazy.ts";
import { runTool } from "./real/program.ts";
import { type TempFolder, tempFolder } from "./real/temp_folder.ts";

/** What a token server lets people do. */
export interface TokenSettings {
  /** Password, and the refresh token where there is one, by user. */
  readonly users: Readonly<
    Record<string, { readonly password: string; readonly refresh?: string }>
  >;
  /** What somebody may do with a repository; undefined stands for nobody in particular. */
  readonly allow: (
    user: string | undefined,
    repository: string,
    wanted: readonly string[],
  ) => readonly string[];
  /** Refuses requests for more than is allowed, instead of granting less. @default false */
  readonly strict?: boolean;
  /** A refresh token is good for once: each answer has the next. @default false */
  readonly rotates?: boolean;
  /** What the realm has after its path, e.g. `?account=x`. */
  readonly query?: string;
  /** Status of the answer to POST, where it is not understood. */
  readonly postStatus?: number;
  /** Life of a token in seconds; undefined leaves it unsaid and means a minute. */
  readonly life?: number;
  /** Name of the member that holds the token. @default "token" */
  readonly member?: "token" | "access_token";
}

/** A token server that runs. */
export interface TokenServer extends AsyncDisposable {
  readonly realm: string;
  readonly service: string;
  readonly issuer: string;
  /** Path of the certificate that vouches for the tokens. */
  readonly certificate: string;
  /** What was asked for so far: method, user and scopes. */
  readonly requests: readonly TokenRequest[];
  /** Takes back all tokens. */
  revoke(): void;
  /** Answers the next requests with these statuses. */
  failNext(...statuses: readonly number[]): void;
  /** Says whether a token of this server allows something now. */
  allows(token: string, repository: string, action: string): boolean;
}

/** A request for a token. */
export interface TokenRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly user?: string;
  readonly scopes: readonly string[];
}

interface Access {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
  /** How many were asked for. */
  readonly wanted: number;
}

const SERVICE = "images-test";

/** Starts a token server. */
export async function startTokenServer(settings: TokenSettings): Promise<TokenServer> {
  const folder = await tempFolder("tokens");
  const signer = await Signer.create(folder);
  const requests: TokenRequest[] = [];
  const issued = new Map<string, { expires: number; access: readonly Access[] }>();
  const failures: number[] = [];
  const refreshTokens = new Map(
    Object.entries(settings.users).flatMap(([name, { refresh }]) =>
      refresh === undefined ? [] : [[refresh, name] as const]
    ),
  );
  /** What takes the place of a refresh token that was used. */
  const rotate = (token: string | undefined) => {
    const user = token === undefined ? undefined : refreshTokens.get(token);
    if (!settings.rotates || user === undefined) return {};
    refreshTokens.delete(token!);
    const next = `refresh-token-${crypto.randomUUID()}`;
    refreshTokens.set(next, user);
    return { refresh_token: next };
  };
  const issue = async ({ user, scopes, refresh }: Asked) => {
    const access = scopes.flatMap((scope) => granted(scope, user || undefined, settings));
    if (settings.strict && access.some(({ actions, wanted }) => actions.length < wanted)) {
      return Response.json({ errors: [{ code: "DENIED" }] }, { status: 403 });
    }
    const life = settings.life ?? 60;
    const token = await signer.sign(access, life);
    issued.set(token, { expires: performance.now() + life * 1_000, access });
    const expires = settings.life === undefined ? {} : { expires_in: life };
    const member = settings.member ?? "token";
    return Response.json({ [member]: token, ...expires, ...rotate(refresh) });
  };
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const asked = await read(request, settings, refreshTokens);
      requests.push({
        method: request.method,
        path: request.url.slice(new URL(request.url).origin.length),
        scopes: asked.scopes,
        ...(typeof asked.user === "string" ? { user: asked.user } : {}),
      });
      const failure = failures.shift();
      if (failure !== undefined) return new Response(null, { status: failure });
      if (request.method === "POST" && settings.postStatus !== undefined) {
        return new Response(null, { status: settings.postStatus });
      }
      if (asked.user === false) {
        return Response.json({ details: "incorrect username or password" }, { status: 401 });
      }
      return await issue(asked);
    },
  );
  return {
    realm: `http://localhost:${server.addr.port}/token${settings.query ?? ""}`,
    service: SERVICE,
    issuer: ISSUER,
    certificate: signer.certificate,
    requests,
    allows(token, repository, action) {
      const found = issued.get(token);
      return found !== undefined && performance.now() < found.expires &&
        found.access.some(({ name, actions }) => name === repository && actions.includes(action));
    },
    revoke: () => issued.clear(),
    failNext: (...statuses) => failures.push(...statuses),
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Who asks for what: false where the proof is wrong, undefined where there is none. */
interface Asked {
  readonly user: string | undefined | false;
  readonly scopes: string[];
  /** The refresh token that was sent. */
  readonly refresh?: string;
}

async function read(
  request: Request,
  { users }: TokenSettings,
  refreshTokens: ReadonlyMap<string, string>,
): Promise<Asked> {
  if (request.method === "POST") {
    const form = new URLSearchParams(await request.text());
    const refresh = form.get("refresh_token") ?? "";
    const scopes = (form.get("scope") ?? "").split(" ");
    return { user: refreshTokens.get(refresh) ?? false, scopes, refresh };
  }
  const scopes = new URL(request.url).searchParams.getAll("scope");
  const header = request.headers.get("authorization");
  if (header === null) return { user: undefined, scopes };
  const text = atob(header.replace("Basic ", ""));
  const [name = "", password] = [
    text.slice(0, text.indexOf(":")),
    text.slice(text.indexOf(":") + 1),
  ];
  const byRefresh = refreshTokens.get(password);
  if (byRefresh !== undefined) return { user: byRefresh, scopes };
  return { user: users[name]?.password === password ? name : false, scopes };
}

function granted(
  scope: string,
  user: string | undefined,
  { allow }: TokenSettings,
): Access[] {
  const match = /^repository:([^:]+):(.+)$/.exec(scope);
  if (match === null) return [];
  const [, name = "", wanted = ""] = match;
  const asked = wanted.split(",");
  const allowed = allow(user, name, asked);
  const actions = asked.filter((action) => allowed.includes(action));
  return [{ type: "repository", name, actions, wanted: asked.length }];
}

const ISSUER = "images-test-issuer";

/** The key that all servers of a test file sign with, for it takes a while to make one. */
const keyPair = lazy(async () => {
  await using folder = await tempFolder("keys");
  const [keyFile, certificateFile] = [`${folder.path}/tokens.key`, `${folder.path}/tokens.crt`];
  await runTool([
    ...["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"],
    ...["-subj", "/CN=images test tokens", "-keyout", keyFile, "-out", certificateFile],
  ]);
  const key = await crypto.subtle.importKey(
    "pkcs8",
    Uint8Array.from(atob(pemBody(Deno.readTextFileSync(keyFile))), (char) => char.charCodeAt(0)),
    { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
    false,
    ["sign"],
  );
  return { key, certificate: Deno.readTextFileSync(certificateFile) };
});

/** Signs tokens with a key whose certificate the registry is given. */
class Signer {
  readonly certificate: string;
  readonly #key: CryptoKey;
  readonly #chain: string;

  private constructor(certificate: string, key: CryptoKey, chain: string) {
    this.certificate = certificate;
    this.#key = key;
    this.#chain = chain;
  }

  static async create({ path }: TempFolder): Promise<Signer> {
    const { key, certificate } = await keyPair();
    const file = `${path}/tokens.crt`;
    Deno.writeTextFileSync(file, certificate);
    return new Signer(file, key, pemBody(certificate));
  }

  async sign(access: readonly Access[], life: number): Promise<string> {
    const now = Math.floor(Date.now() / 1_000);
    const header = { typ: "JWT", alg: "RS256", x5c: [this.#chain] };
    const claims = {
      iss: ISSUER,
      aud: SERVICE,
      exp: now + Math.ceil(life),
      nbf: now - 10,
      iat: now,
      jti: crypto.randomUUID(),
      access,
    };
    const head = `${encode(JSON.stringify(header))}.${encode(JSON.stringify(claims))}`;
    const signature = await crypto.subtle.sign(
      "RSASSA-PKCS1-v1_5",
      this.#key,
      new TextEncoder().encode(head),
    );
    return `${head}.${encode(String.fromCharCode(...new Uint8Array(signature)))}`;
  }
}

function pemBody(text: string): string {
  return text.replace(/-----[^-]+-----|\s/g, "");
}

/** Base64 as JWTs have it. */
function encode(text: string): string {
  return btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}
