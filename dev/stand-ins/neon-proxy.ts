import { createServer } from "node:http";
import { WebSocketServer } from "ws";
import { createSqlEndpoint } from "./neon-proxy/sql-endpoint.ts";
import type { Target } from "./neon-proxy/target.ts";
import { openTunnel } from "./neon-proxy/tunnel.ts";

export interface NeonProxyOptions {
  /** Where to listen; 127.0.0.1 without it. */
  host?: string;
  /** A free port without it. */
  port?: number;
  /** The Postgres that answers. */
  target: Target;
}

export interface RunningNeonProxy {
  /** `host:port`, what NEON_LOCAL_PROXY wants. */
  address: string;
  stop(): Promise<void>;
}

/**
 * Speaks what `@neondatabase/serverless` speaks to Neon, in front of any Postgres: single queries and batches over
 * `POST /sql`, sessions over a WebSocket at `/v2`. User, password and database are those that the driver sends.
 */
export async function startNeonProxy(options: NeonProxyOptions): Promise<RunningNeonProxy> {
  const { host = "127.0.0.1", port = 0, target } = options;
  const sql = createSqlEndpoint(target);
  const server = createServer((request, response) => {
    if (request.method === "POST" && request.url?.split("?")[0] === "/sql") {
      void sql.handle(request, response);
      return;
    }
    response.writeHead(404, { "content-type": "application/json" });
    response.end(
      JSON.stringify({ message: "Only POST /sql and a WebSocket at /v2 are served here." }),
    );
  });
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  server.on("upgrade", (request, socket, head) => {
    if (!request.url?.startsWith("/v2")) {
      socket.end("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => openTunnel(webSocket, target));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The proxy got no port.");
  return {
    address: `${host}:${address.port}`,
    async stop() {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await sql.stop();
    },
  };
}
