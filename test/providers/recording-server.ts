import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A request as the provider got it. */
export interface RecordedRequest {
  method: string;
  /** Path and query, as in the request line. */
  path: string;
  headers: IncomingMessage["headers"];
  /** The body as text, and as JSON where it is some. */
  text: string;
  body: Record<string, unknown> | null;
  receivedAt: number;
  /** When the last byte of the answer was handed to the socket; milliseconds since 1970. */
  finishedAt: number | null;
  /** When the client closed the connection before it had the whole answer. */
  abortedAt: number | null;
}

/** A server of the loopback that reads each request whole before it answers. */
export interface RecordingServer {
  /** Without a slash at the end. */
  url: string;
  stop(): Promise<void>;
}

/** Starts a server on a port of its own. What its handler throws becomes a 500. */
export async function startRecordingServer(
  handle: (request: RecordedRequest, response: ServerResponse) => Promise<void>,
): Promise<RecordingServer> {
  const server = createServer((message, response) => {
    message.socket.setNoDelay(true);
    receive(message, response, (request) => handle(request, response)).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500);
      response.end(JSON.stringify({ error: { message: String(error) } }));
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // it listens on TCP
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Reads a request whole, and notes when its client goes away. */
async function receive(
  message: IncomingMessage,
  response: ServerResponse,
  handle: (request: RecordedRequest) => Promise<void>,
): Promise<void> {
  const pieces: Buffer[] = [];
  for await (const piece of message) pieces.push(piece);
  const text = Buffer.concat(pieces).toString("utf8");
  const request: RecordedRequest = {
    method: message.method ?? "",
    path: message.url ?? "",
    headers: message.headers,
    text,
    body: jsonObject(text),
    receivedAt: Date.now(),
    finishedAt: null,
    abortedAt: null,
  };
  response.on("finish", () => {
    request.finishedAt = Date.now();
  });
  response.on("close", () => {
    if (!response.writableFinished) request.abortedAt = Date.now();
  });
  await handle(request);
}

function jsonObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null; // an object, as checked
  } catch {
    return null;
  }
}
