/** An HTTP proxy on loopback that leads every name to one server on loopback. */

import http from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";

/** A proxy that runs. */
export interface LoopbackProxy extends AsyncDisposable {
  /** e.g. `http://127.0.0.1:40123`. */
  readonly url: string;
  /** What it was asked for: `CONNECT host:port`, or a method and a URL. */
  readonly requests: readonly string[];
}

/**
 * Starts a proxy.
 *
 * @param target host and port that all requests are led to.
 */
export async function startProxy(target: string): Promise<LoopbackProxy> {
  const [, port = ""] = target.split(":");
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => sockets.delete(socket));
  };
  const server = http.createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const { pathname, search } = new URL(request.url ?? "");
    const onward = http.request({
      ...{ host: "127.0.0.1", port, method: request.method, path: `${pathname}${search}` },
      headers: request.headers,
    }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    request.pipe(onward);
  });
  server.on("connection", keep);
  server.on("connect", (request: http.IncomingMessage, socket: Socket) => {
    requests.push(`CONNECT ${request.url}`);
    const onward = connect(Number(port), "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      onward.pipe(socket);
      socket.pipe(onward);
    });
    keep(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
