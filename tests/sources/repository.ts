/** A git repository behind a loopback web server: git's own, or plain files as a simple host has them. */

import { runTool } from "../support/real/program.ts";

/** How the repository is served. */
export type Serving = "smart" | "plain";

/** A repository, and the server in front of it. */
export class Repository implements AsyncDisposable {
  /** Requests so far. */
  requests = 0;
  /** Absolute path of the work tree. */
  readonly work: string;
  readonly #folder: string;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  private constructor(folder: string, serving: Serving) {
    this.#folder = folder;
    this.work = `${folder}/work`;
    const listen = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
    this.#server = Deno.serve(listen, (request) => {
      this.requests += 1;
      return serving === "smart" ? backend(folder, request) : plainFile(folder, request);
    });
  }

  /** Makes an empty repository that is served. */
  static async create(serving: Serving = "smart"): Promise<Repository> {
    const folder = await Deno.makeTempDir({ prefix: "repository-" });
    const repository = new Repository(folder, serving);
    await runTool(["git", "init", "--quiet", "--bare", "-b", "main", `${folder}/repo.git`]);
    await runTool(["git", "init", "--quiet", "-b", "main", repository.work]);
    return repository;
  }

  /** Its URL, with what stands behind it. */
  url(rest = ""): string {
    return `http://127.0.0.1:${this.#server.addr.port}/repo.git${rest}`;
  }

  /** Runs git in the work tree; gives what it prints. */
  async git(...args: readonly string[]): Promise<string> {
    const identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
    const { stdout } = await runTool(["git", "-C", this.work, ...identity, ...args]);
    return stdout.trim();
  }

  /** Commits files, path → text, and publishes all branches and tags; gives the commit. */
  async commit(files: Readonly<Record<string, string>>): Promise<string> {
    for (const [path, text] of Object.entries(files)) {
      const full = `${this.work}/${path}`;
      Deno.mkdirSync(full.slice(0, full.lastIndexOf("/")), { recursive: true });
      Deno.writeTextFileSync(full, text);
    }
    await this.git("add", "--all");
    await this.git("commit", "--quiet", "--message", "change");
    await this.publish();
    return await this.git("rev-parse", "HEAD");
  }

  /** Publishes all branches and tags. */
  async publish(): Promise<void> {
    await this.git("push", "--quiet", "--force", "--all", `${this.#folder}/repo.git`);
    await this.git("push", "--quiet", "--force", "--tags", `${this.#folder}/repo.git`);
    await runTool(["git", "-C", `${this.#folder}/repo.git`, "update-server-info"]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** @see https://git-scm.com/docs/git-http-backend */
async function backend(folder: string, request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const child = new Deno.Command("git", {
    args: ["http-backend"],
    env: {
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: "1",
      REQUEST_METHOD: request.method,
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      CONTENT_TYPE: request.headers.get("content-type") ?? "",
      GIT_PROTOCOL: request.headers.get("git-protocol") ?? "",
      ...(request.headers.get("content-encoding") === "gzip"
        ? { HTTP_CONTENT_ENCODING: "gzip" }
        : {}),
    },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new Uint8Array(await request.arrayBuffer()));
  await writer.close();
  const { stdout } = await child.output();
  const text = new TextDecoder("latin1").decode(stdout);
  const end = text.indexOf("\r\n\r\n");
  const headers = text.slice(0, end).split("\r\n").map((line) => line.split(": ", 2));
  const status = headers.find(([name]) => name === "Status")?.[1]?.slice(0, 3);
  return new Response(stdout.slice(end + 4), {
    status: Number(status ?? 200),
    headers: headers.filter(([name]) => name !== "Status") as [string, string][],
  });
}

async function plainFile(folder: string, request: Request): Promise<Response> {
  try {
    return new Response(await Deno.readFile(folder + new URL(request.url).pathname));
  } catch {
    return new Response(null, { status: 404 });
  }
}
