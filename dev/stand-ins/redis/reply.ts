/**
 * A string of bytes: each character stands for one byte (latin1). Unlike a Buffer it can be a Map's key, it compares
 * as Redis compares, and V8 stores it in one byte a character.
 */
export type Bytes = string;

/** A short answer such as OK, which Redis tells apart from stored text. */
export class Status {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

export const OK = new Status("OK");

/** An answer that Redis gives as an error: its message begins with a code in capitals. */
export class RedisError extends Error {
  override readonly name = "RedisError";
}

/** What a command inside of the in-process Redis answers. Errors are thrown. */
export type Value = Bytes | number | null | Status | Value[];

/** What a backend answers. An error stands in its command's place and fails no other command. */
export type Reply = Buffer | number | null | Status | RedisError | Reply[];

export const WRONG_TYPE = "WRONGTYPE Operation against a key holding the wrong kind of value";
export const SYNTAX = "ERR syntax error";
export const NOT_AN_INTEGER = "ERR value is not an integer or out of range";
export const NOT_A_FLOAT = "ERR value is not a valid float";

export function fail(message: string): never {
  throw new RedisError(message);
}

/** Stored bytes leave as a Buffer: only the client knows whether they are text. */
export function toReply(value: Value): Reply {
  if (typeof value === "string") return Buffer.from(value, "latin1");
  if (Array.isArray(value)) return value.map(toReply);
  return value;
}

export function toBytes(text: string | Buffer): Bytes {
  return (typeof text === "string" ? Buffer.from(text) : text).toString("latin1");
}

export function toText(bytes: Bytes): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}
