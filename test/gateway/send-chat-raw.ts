import { connect, type Socket } from "node:net";

/**
 * Sends a chat completion over a connection of its own, and reads nothing of the answer. Hang up by a reset: workerd
 * takes a connection whose client only closed its side for one that still reads, until it writes to it.
 */
export function sendChatRaw(apiUrl: string, key: string, request: object): Socket {
  const body = JSON.stringify(request);
  const { hostname, port } = new URL(apiUrl);
  const socket = connect(Number(port), hostname);
  socket.on("error", () => undefined); // the gateway may reset it
  socket.pause();
  const head = [
    "POST /v1/chat/completions HTTP/1.1",
    `host: ${hostname}`,
    `authorization: Bearer ${key}`,
    "content-type: application/json",
    `content-length: ${body.length}`,
  ];
  socket.write(`${head.join("\r\n")}\r\n\r\n${body}`);
  return socket;
}
