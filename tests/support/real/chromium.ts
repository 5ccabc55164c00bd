/** A headless Chromium of its own, driven through the DevTools protocol. */

import { startServer } from "./program.ts";
import { tempFolder } from "./temp_folder.ts";

/** How a page is shown. */
export interface Viewport {
  /** In CSS pixels. */
  readonly width: number;
  readonly height: number;
  readonly scheme: "light" | "dark";
}

/** A running browser with one page. */
export interface Browser extends AsyncDisposable {
  /** Opens a page and waits until it is loaded. */
  open(url: string): Promise<void>;
  /** Sets size and colours. */
  show(viewport: Viewport): Promise<void>;
  /** The value of an expression in the page; promises are waited for. */
  evaluate<T>(expression: string): Promise<T>;
  /** Presses a key, e.g. `j`, `Enter`, `Tab`. */
  press(key: string): Promise<void>;
  /** A picture of what is seen of the page, as PNG. */
  screenshot(): Promise<Uint8Array>;
  /** What was written to the console, and what went wrong. */
  readonly complaints: readonly string[];
  /** Addresses that were asked for. */
  readonly requests: readonly string[];
}

type Message = Record<string, unknown>;

/** Starts a browser; `chromium` must be installed. */
export async function startBrowser(): Promise<Browser> {
  const folder = await tempFolder("chromium");
  const server = await startServer(
    [
      ...["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"],
      ...["--remote-debugging-port=0", `--user-data-dir=${folder.path}`, "about:blank"],
    ],
    /DevTools listening on ws:\/\/127\.0\.0\.1:(\d+)\//,
  ).catch(async (error) => {
    await folder[Symbol.asyncDispose]();
    throw error;
  });
  const socket = await connect(server.ready[1]!);
  const complaints: string[] = [];
  const requests: string[] = [];
  const page = new Connection(socket, (method, params) => {
    if (method === "Network.requestWillBeSent") {
      requests.push((params.request as Message).url as string);
    } else if (COMPLAINTS.has(method)) complaints.push(JSON.stringify(params));
    else if (method === "Runtime.consoleAPICalled") complaints.push(JSON.stringify(params.args));
  });
  for (const domain of ["Page", "Runtime", "Network", "Log"]) await page.send(`${domain}.enable`);
  return {
    complaints,
    requests,
    open: async (url) => {
      const loaded = page.next("Page.loadEventFired");
      await page.send("Page.navigate", { url });
      await loaded;
    },
    show: async ({ width, height, scheme }) => {
      const metrics = { width, height, deviceScaleFactor: 1, mobile: false };
      await page.send("Emulation.setDeviceMetricsOverride", metrics);
      const features = [{ name: "prefers-color-scheme", value: scheme }];
      await page.send("Emulation.setEmulatedMedia", { features });
    },
    evaluate: async <T>(expression: string) => {
      const options = { expression, awaitPromise: true, returnByValue: true };
      const answer = await page.send("Runtime.evaluate", options);
      if (answer.exceptionDetails) throw new Error(JSON.stringify(answer.exceptionDetails));
      return (answer.result as Message).value as T;
    },
    press: async (key) => {
      const text = key.length === 1 ? { text: key } : key === "Enter" ? { text: "\r" } : {};
      await page.send("Input.dispatchKeyEvent", { type: "keyDown", key, ...codeOf(key), ...text });
      await page.send("Input.dispatchKeyEvent", { type: "keyUp", key, ...codeOf(key) });
    },
    screenshot: async () => {
      const { data } = await page.send("Page.captureScreenshot");
      return Uint8Array.fromBase64(data as string);
    },
    async [Symbol.asyncDispose]() {
      await page.close();
      await server.stop();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const COMPLAINTS = new Set(["Runtime.exceptionThrown", "Log.entryAdded"]);

/** Keys that are no character need their number as well. */
function codeOf(key: string): Message {
  const codes: Record<string, number> = { Enter: 13, Escape: 27, Tab: 9 };
  const code = codes[key];
  return code === undefined ? {} : { windowsVirtualKeyCode: code, code: key };
}

/** The DevTools socket of the browser's only page. */
async function connect(port: string): Promise<WebSocket> {
  const response = await fetch(`http://127.0.0.1:${port}/json/list`);
  const targets = await response.json() as { type: string; webSocketDebuggerUrl: string }[];
  const page = targets.find(({ type }) => type === "page");
  if (page === undefined) throw new Error("the browser has no page");
  const socket = new WebSocket(page.webSocketDebuggerUrl);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  return socket;
}

/** Commands, their answers, and events in between. */
class Connection {
  readonly #socket: WebSocket;
  readonly #answers = new Map<number, PromiseWithResolvers<Message>>();
  readonly #awaited = new Map<string, () => void>();
  #count = 0;

  constructor(socket: WebSocket, listen: (method: string, params: Message) => void) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      const { id, method, params, result, error } = JSON.parse(data);
      if (id === undefined) {
        this.#awaited.get(method)?.();
        listen(method, params);
        return;
      }
      const answer = this.#answers.get(id);
      this.#answers.delete(id);
      if (error === undefined) answer?.resolve(result);
      else answer?.reject(new Error(error.message));
    };
  }

  send(method: string, params: Message = {}): Promise<Message> {
    const answer = Promise.withResolvers<Message>();
    const id = this.#count++;
    this.#answers.set(id, answer);
    this.#socket.send(JSON.stringify({ id, method, params }));
    return answer.promise;
  }

  /** The next event of a kind. */
  next(method: string): Promise<void> {
    return new Promise((resolve) => this.#awaited.set(method, resolve));
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#socket.onclose = resolve);
    this.#socket.close();
    await closed;
  }
}
