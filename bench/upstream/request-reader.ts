const headEnd = Buffer.from("\r\n\r\n");
const lineEnd = Buffer.from("\r\n");
const maxRequestBytes = 1_000_000;

/** One request as the upstream needs it: the head as text, the body as bytes (chunk sizes included where it came in chunks). */
export type RawRequest = { head: string; body: Buffer };

/**
 * Cuts a connection's bytes into HTTP/1.1 requests: bodies by `Content-Length` or in chunks, several
 * requests in one packet, one request in several. It reads just enough for the bench's own traffic,
 * because every microsecond that the upstream takes is one that the parties are not measured by.
 */
export class RequestReader {
  #rest: Buffer = Buffer.alloc(0);

  /** Takes what has arrived and returns the requests that are now complete. */
  push(chunk: Buffer): RawRequest[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const requests: RawRequest[] = [];
    for (let request = this.#next(); request !== null; request = this.#next())
      requests.push(request);
    if (this.#rest.length > maxRequestBytes)
      throw new Error(`a request is larger than ${maxRequestBytes} bytes`);
    return requests;
  }

  #next(): RawRequest | null {
    const end = this.#rest.indexOf(headEnd);
    if (end === -1) return null;
    const head = this.#rest.toString("latin1", 0, end);
    const bodyStart = end + headEnd.length;
    const bodyEnd = findBodyEnd(this.#rest, bodyStart, head);
    if (bodyEnd === -1 || bodyEnd > this.#rest.length) return null;
    const body = this.#rest.subarray(bodyStart, bodyEnd);
    this.#rest = this.#rest.subarray(bodyEnd);
    return { head, body };
  }
}

function findBodyEnd(bytes: Buffer, start: number, head: string): number {
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined) return start + Number(length);
  if (!/\r\ntransfer-encoding: *chunked/i.test(head)) return start;

  for (let at = start; ;) {
    const sizeEnd = bytes.indexOf(lineEnd, at);
    if (sizeEnd === -1) return -1;
    const size = Number.parseInt(bytes.toString("latin1", at, sizeEnd), 16);
    if (Number.isNaN(size)) throw new Error("a chunk's size is not a number");
    at = sizeEnd + lineEnd.length + size + lineEnd.length;
    if (size === 0) return at;
    if (at > bytes.length) return -1;
  }
}
