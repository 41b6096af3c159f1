/** The few messages of Postgres' wire protocol (3.0) that the tunnel itself reads and writes. */

const PROTOCOL_3 = 0x0003;
const CANCEL_REQUEST = 80_877_102;
const SSL_REQUEST = 80_877_103;
const GSS_REQUEST = 80_877_104;

export type FirstMessage =
  | { kind: "startup"; parameters: Map<string, string> }
  | { kind: "encryption" }
  | { kind: "cancel"; processId: number }
  | { kind: "unknown" };

/** The first message has no type byte: four bytes of length, four that say what it is. */
export function parseFirstMessage(message: Buffer): FirstMessage {
  const code = message.readUInt32BE(4);
  if (code === SSL_REQUEST || code === GSS_REQUEST) return { kind: "encryption" };
  if (code === CANCEL_REQUEST && message.length >= 12)
    return { kind: "cancel", processId: message.readUInt32BE(8) };
  if (code >>> 16 !== PROTOCOL_3) return { kind: "unknown" };
  const parts = message.toString("utf8", 8).split("\0");
  const parameters = new Map<string, string>();
  for (let index = 0; index + 1 < parts.length && parts[index]; index += 2) {
    parameters.set(parts[index] ?? "", parts[index + 1] ?? "");
  }
  return { kind: "startup", parameters };
}

function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.write(type, 0, "latin1");
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

function int32(...values: number[]): Buffer {
  const buffer = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) buffer.writeInt32BE(value, index * 4);
  return buffer;
}

export const askForPassword = message("R", int32(3));

/** The answer to the one question before encryption: no, stay as you are. */
export const noEncryption = Buffer.from("N");

/** What a server says after a login that succeeded. */
export function welcome(
  parameters: Map<string, string>,
  processId: number,
  secretKey: number,
): Buffer {
  return Buffer.concat([
    message("R", int32(0)),
    ...[...parameters].map(([name, value]) => message("S", Buffer.from(`${name}\0${value}\0`))),
    message("K", int32(processId, secretKey)),
    message("Z", Buffer.from("I")),
  ]);
}

/** A fatal error with its SQLSTATE. */
export function fatalError(code: string, text: string): Buffer {
  return message("E", Buffer.from(`SFATAL\0VFATAL\0C${code}\0M${text}\0\0`));
}

/** Cuts complete messages from a byte stream that arrives in arbitrary pieces. */
export class MessageReader {
  #buffer: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): void {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
  }

  /** The next message with its head, or undefined until all of it is there. `headBytes` is what precedes the length. */
  next(headBytes: 0 | 1): Buffer | undefined {
    if (this.#buffer.length < headBytes + 4) return undefined;
    const end = headBytes + this.#buffer.readUInt32BE(headBytes);
    if (end < headBytes + 4 || end > 1_000_000) throw new Error("This is not Postgres' protocol.");
    if (this.#buffer.length < end) return undefined;
    const found = this.#buffer.subarray(0, end);
    this.#buffer = this.#buffer.subarray(end);
    return found;
  }

  /** Whatever came after the last message that was taken. */
  rest(): Buffer {
    return this.#buffer;
  }
}
