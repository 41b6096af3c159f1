import type { IncomingMessage } from "node:http";

/**
 * Reads a request's body up to a limit.
 *
 * @returns undefined when it is longer. What follows is read and thrown away, so that the client, which writes before
 *   it reads, still gets the answer that says so.
 */
export async function readBody(
  request: IncomingMessage,
  maxBytes: number,
): Promise<Buffer | undefined> {
  let chunks: Buffer[] = [];
  let size = 0;
  // Not `for await`: leaving it early would close the connection.
  request.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size > maxBytes) chunks = [];
    else chunks.push(chunk);
  });
  await new Promise<void>((resolve, reject) => {
    request.once("end", resolve);
    request.once("error", reject);
    request.once("close", () => reject(new Error("The client went away.")));
  });
  return size > maxBytes ? undefined : Buffer.concat(chunks);
}
