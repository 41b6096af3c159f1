/**
 * An address or a block as numbers of 32 bits, so that matching is a comparison of bits: an IPv4 address is one number,
 * an IPv6 address four. IPv4 written as IPv6 (`::ffff:192.0.2.1`) is IPv4.
 */
export type IpAddress = readonly number[];

/** A block: the numbers of its first address, then the mask of each. Plain numbers, so that it can be cached as JSON. */
export type IpBlock = readonly number[];

/** Reads an IPv4 or IPv6 address; null for anything else, such as a name, a port or a zone behind it. */
export function parseIp(text: string): IpAddress | null {
  if (!text.includes(":")) {
    const value = parseIpv4(text);
    return value === null ? null : [value];
  }
  const words = parseIpv6(text);
  if (words === null) return null;
  const mapped = words[0] === 0 && words[1] === 0 && words[2] === 0xffff;
  return mapped ? words.slice(3) : words;
}

/** What an entry of a list is, or why it is none: a sentence to show to whoever wrote it. */
export type ParsedBlock = { block: IpBlock } | { fault: string };

/** Reads an address, or a block in CIDR notation such as `203.0.113.0/24` or `2001:db8::/32`. */
export function parseIpBlock(text: string): ParsedBlock {
  const [addressText = "", lengthText, ...more] = text.split("/");
  const words = addressText.includes(":") ? parseIpv6(addressText) : wordsOfIpv4(addressText);
  if (words === null || more.length > 0)
    return { fault: "must be an IPv4 or IPv6 address, or a block such as 203.0.113.0/24" };
  const bits = words.length * 32;
  const length = lengthText === undefined ? bits : prefixLength(lengthText);
  if (length === null || length > bits)
    return { fault: `must have a prefix length from 0 to ${bits} behind the slash` };
  const masks = words.map((_, index) => maskOf(length - index * 32));
  const first = words.map((word, index) => (word & (masks[index] ?? 0)) >>> 0);
  if (words.some((word, index) => word !== first[index]))
    return {
      fault: `has bits set behind its prefix; this block begins at ${shown(first)}/${length}`,
    };
  const mapped = words.length === 4 && first[0] === 0 && first[1] === 0 && first[2] === 0xffff;
  if (mapped && length >= 96) return { block: [...first.slice(3), ...masks.slice(3)] };
  return { block: [...first, ...masks] };
}

/** Whether a block holds an address. */
export function inBlock(address: IpAddress, block: IpBlock): boolean {
  const words = address.length;
  if (block.length !== words * 2) return false;
  for (let i = 0; i < words; i++) {
    // Indexes within both, as their lengths say.
    if (((address[i] as number) ^ (block[i] as number)) & (block[words + i] as number))
      return false;
  }
  return true;
}

/** The mask of a word whose first `length` bits belong to the prefix; lengths may lie outside the word. */
function maskOf(length: number): number {
  if (length <= 0) return 0;
  return length >= 32 ? 0xffffffff : (0xffffffff << (32 - length)) >>> 0;
}

function prefixLength(text: string): number | null {
  return /^(0|[1-9]\d{0,2})$/.test(text) ? Number(text) : null;
}

function wordsOfIpv4(text: string): number[] | null {
  const value = parseIpv4(text);
  return value === null ? null : [value];
}

/** Four decimal parts. Parts with a leading zero are refused: some programs read them as octal. */
function parseIpv4(text: string): number | null {
  const parts = text.split(".");
  if (parts.length !== 4) return null;
  let value = 0;
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return null;
    value = value * 256 + Number(part);
  }
  return value;
}

/** RFC 4291: eight groups, `::` once for zeros, and perhaps an IPv4 address in place of the last two. */
function parseIpv6(text: string): number[] | null {
  const [head = "", tail, ...more] = text.split("::");
  if (more.length > 0) return null;
  const before = groupsOf(head, tail === undefined);
  const after = tail === undefined ? [] : groupsOf(tail, true);
  if (before === null || after === null) return null;
  const missing = 8 - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return null;
  const groups = [...before, ...Array.from({ length: missing }, () => 0), ...after];
  return [0, 2, 4, 6].map((at) => (groups[at] ?? 0) * 0x10000 + (groups[at + 1] ?? 0));
}

function groupsOf(text: string, last: boolean): number[] | null {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    if (/^[0-9a-f]{1,4}$/i.test(part)) {
      groups.push(Number.parseInt(part, 16));
      continue;
    }
    const tail = last && index === parts.length - 1 ? parseIpv4(part) : null;
    if (tail === null) return null;
    groups.push(Math.floor(tail / 0x10000), tail % 0x10000);
  }
  return groups;
}

function shown(words: readonly number[]): string {
  if (words.length === 1) {
    const [value = 0] = words;
    return [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join(".");
  }
  const groups = words.flatMap((word) => [word >>> 16, word & 0xffff]);
  const url = `http://[${groups.map((group) => group.toString(16)).join(":")}]`;
  return new URL(url).hostname.slice(1, -1); // writes the shortest form
}
