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
  readonly allow: (user: string | undefined, repository: string) => readonly string[];
  /** Life of a token in seconds; undefined leaves it unsaid and means a minute. */
  readonly life?: number;
  /** Name of the member that holds the token. @default "token" */
  readonly member?: "token" | "access_token";
  /** Answers 404 to POST, as servers without OAuth do. @default false */
  readonly getOnly?: boolean;
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
  readonly user?: string;
  readonly scopes: readonly string[];
}

interface Access {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

const SERVICE = "images-test";

/** Starts a token server. */
export async function startTokenServer(settings: TokenSettings): Promise<TokenServer> {
  const folder = await tempFolder("tokens");
  const signer = await Signer.create(folder);
  const requests: TokenRequest[] = [];
  const issued = new Map<string, { expires: number; access: readonly Access[] }>();
  const failures: number[] = [];
  const issue = async (user: string | undefined, scopes: readonly string[]) => {
    const access = scopes.flatMap((scope) => granted(scope, user, settings));
    const life = settings.life ?? 60;
    const token = await signer.sign(access, life);
    issued.set(token, { expires: performance.now() + life * 1_000, access });
    const expires = settings.life === undefined ? {} : { expires_in: life };
    return Response.json({ [settings.member ?? "token"]: token, ...expires });
  };
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const asked = await read(request, settings);
      requests.push({
        method: request.method,
        scopes: asked.scopes,
        ...(typeof asked.user === "string" ? { user: asked.user } : {}),
      });
      const failure = failures.shift();
      if (failure !== undefined) return new Response(null, { status: failure });
      if (request.method === "POST" && settings.getOnly) return new Response(null, { status: 404 });
      if (asked.user === false) {
        return Response.json({ details: "incorrect username or password" }, { status: 401 });
      }
      return await issue(asked.user, asked.scopes);
    },
  );
  return {
    realm: `http://localhost:${server.addr.port}/token`,
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
async function read(
  request: Request,
  { users }: TokenSettings,
): Promise<{ user: string | undefined | false; scopes: string[] }> {
  if (request.method === "POST") {
    const form = new URLSearchParams(await request.text());
    const refresh = form.get("refresh_token");
    const found = Object.entries(users).find(([, user]) => user.refresh === refresh);
    return { user: found?.[0] ?? false, scopes: (form.get("scope") ?? "").split(" ") };
  }
  const scopes = new URL(request.url).searchParams.getAll("scope");
  const header = request.headers.get("authorization");
  if (header === null) return { user: undefined, scopes };
  const text = atob(header.replace("Basic ", ""));
  const [name = "", password] = [
    text.slice(0, text.indexOf(":")),
    text.slice(text.indexOf(":") + 1),
  ];
  const byRefresh = Object.entries(users).find(([, user]) => user.refresh === password);
  if (byRefresh !== undefined) return { user: byRefresh[0], scopes };
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
  const allowed = allow(user, name);
  return [{
    type: "repository",
    name,
    actions: wanted.split(",").filter((a) => allowed.includes(a)),
  }];
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
