import { type CommandTable, MANY, reads, type Run, writes } from "./command.ts";
import { sliceBounds } from "./arguments.ts";
import { type Bytes, fail, type Value } from "./reply.ts";
import { checkLength, replaceText, StringValue, textOf } from "./strings.ts";

const MAX_OFFSET = 2 ** 32;

function bitAt(text: Bytes, offset: number): number {
  const byte = text.charCodeAt(offset >>> 3);
  return Number.isNaN(byte) ? 0 : (byte >> (7 - (offset & 7))) & 1;
}

function parseOffset(offset: number): number {
  if (offset < 0 || offset >= MAX_OFFSET) fail("ERR bit offset is not an integer or out of range");
  return offset;
}

const setBit: Run = (keys, args) => {
  const key = args.next();
  const offset = parseOffset(args.integer("ERR bit offset is not an integer or out of range"));
  const bit = args.next();
  if (bit !== "0" && bit !== "1") fail("ERR bit is not an integer or out of range");
  const index = offset >>> 3;
  checkLength(keys, index + 1);
  const text = (textOf(keys, key) ?? "").padEnd(index + 1, "\0");
  const mask = 1 << (7 - (offset & 7));
  const byte = text.charCodeAt(index);
  const changed = String.fromCharCode(bit === "1" ? byte | mask : byte & ~mask);
  replaceText(keys, key, text.slice(0, index) + changed + text.slice(index + 1));
  return byte & mask ? 1 : 0;
};

/** The first and last bit (exclusive) that `[start [end [BYTE|BIT]]]` means. */
function bitRange(text: Bytes, given: Bytes[], parse: (text: Bytes) => number): [number, number] {
  const [start = "0", end = "-1", unit = "BYTE"] = given;
  const inBits = unit.toUpperCase() === "BIT";
  if (!inBits && unit.toUpperCase() !== "BYTE") fail("ERR syntax error");
  const length = inBits ? text.length * 8 : text.length;
  const [from, to] = sliceBounds(parse(start), parse(end), length);
  return inBits ? [from, to] : [from * 8, to * 8];
}

const countBits: Run = (keys, args) => {
  const text = textOf(keys, args.next()) ?? "";
  const [from, to] = bitRange(text, args.rest(), parseIndex);
  let count = 0;
  for (let bit = from; bit < to; bit += 1) count += bitAt(text, bit);
  return count;
};

const findBit: Run = (keys, args) => {
  const text = textOf(keys, args.next());
  const wanted = args.next();
  if (wanted !== "0" && wanted !== "1") fail("ERR The bit argument must be 1 or 0.");
  const range = args.rest();
  if (text === undefined) return wanted === "0" ? 0 : -1;
  const [from, to] = bitRange(text, range, parseIndex);
  for (let bit = from; bit < to; bit += 1) if (bitAt(text, bit) === Number(wanted)) return bit;
  // Without an end, a string is followed by endless zeros.
  return wanted === "0" && range.length < 2 ? text.length * 8 : -1;
};

function parseIndex(text: Bytes): number {
  if (!/^-?\d{1,15}$/.test(text)) fail("ERR value is not an integer or out of range");
  return Number(text);
}

const OPERATIONS: Readonly<Record<string, (a: number, b: number) => number>> = {
  AND: (a, b) => a & b,
  OR: (a, b) => a | b,
  XOR: (a, b) => a ^ b,
};

const combineBits: Run = (keys, args): Value => {
  const name = args.next().toUpperCase();
  const destination = args.next();
  const sources = args.rest().map((key) => Buffer.from(textOf(keys, key) ?? "", "latin1"));
  const [first] = sources;
  if (name === "NOT" && sources.length !== 1)
    fail("ERR BITOP NOT must be called with a single source key.");
  const operation = name === "NOT" ? undefined : OPERATIONS[name];
  if (!first || (name !== "NOT" && !operation)) fail("ERR syntax error");
  const result = Buffer.alloc(Math.max(...sources.map((source) => source.length)));
  for (let index = 0; index < result.length; index += 1) {
    const bytes = sources.map((source) => source[index] ?? 0);
    result[index] = operation ? bytes.reduce(operation) : ~(bytes[0] ?? 0);
  }
  if (result.length === 0) keys.delete(destination);
  else keys.set(destination, new StringValue(result.toString("latin1")));
  return result.length;
};

export const bits: CommandTable = {
  getbit: reads(2, 2, (keys, args) => {
    const text = textOf(keys, args.next()) ?? "";
    return bitAt(
      text,
      parseOffset(args.integer("ERR bit offset is not an integer or out of range")),
    );
  }),
  setbit: writes(3, 3, setBit),
  bitcount: reads(1, 4, countBits),
  bitpos: reads(2, 5, findBit),
  bitop: writes(3, MANY, combineBits),
};
