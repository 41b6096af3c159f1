/** One server-sent event, as the wire had it. */
export interface SseEvent {
  /** Its `data` lines joined by LF; null where it has none, as comments that keep a connection alive. */
  data: string | null;
  /** Its `event` field, where it has one. */
  event: string | undefined;
  /** Its bytes, the blank line included. They are a view that holds until the next `push`. */
  raw: Uint8Array;
}

/** An event that is larger than the scanner was told to hold. */
export class SseEventTooLarge extends Error {}

const LF = 10;
const CR = 13;
const NOTHING = new Uint8Array(0);
const TERMINATOR = new Uint8Array([LF, LF]);
/** `data:` in ASCII. */
const DATA = [100, 97, 116, 97, 58];

/** The largest event that is held, in bytes: pictures come in base64 within one. */
export const EVENT_LIMIT = 16 * 1024 * 1024;

/**
 * Cuts a byte stream into server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html),
 * wherever its pieces were cut: lines end with LF, CRLF or CR, and characters may be split.
 */
export class SseScanner {
  /** What came after the last whole event. */
  private held: Uint8Array = NOTHING;
  private heldLength = 0;
  /** How far the held bytes were searched, and where their last line begins. */
  private searched = 0;
  private lineStart = 0;
  private begun = false;
  private readonly decoder = new TextDecoder("utf-8", { ignoreBOM: true, fatal: false });
  private readonly limit: number;

  constructor(limit: number = EVENT_LIMIT) {
    this.limit = limit;
  }

  /**
   * Takes the next piece, and returns the events that are whole with it.
   * @throws SseEventTooLarge
   */
  push(piece: Uint8Array): SseEvent[] {
    const bytes = this.heldLength === 0 ? piece : this.append(piece);
    const events: SseEvent[] = [];
    let eventStart = 0;
    let lineStart = this.lineStart;
    let at = this.searched;
    const hasCr = bytes.indexOf(CR, at) !== -1;
    for (;;) {
      const end = hasCr ? nextLineEnd(bytes, at) : bytes.indexOf(LF, at);
      if (end === -1) break;
      // A CR at the very end may have its LF in the next piece: it is looked at again with that.
      if (bytes[end] === CR && end + 1 === bytes.length) break;
      const next = bytes[end] === CR && bytes[end + 1] === LF ? end + 2 : end + 1;
      if (end === lineStart) {
        events.push(this.read(bytes.subarray(eventStart, next)));
        eventStart = next;
      }
      lineStart = next;
      at = next;
    }
    this.hold(bytes, eventStart, lineStart);
    return events;
  }

  /**
   * What is left when the stream has ended: an event without the blank line that would have completed it. Whether it
   * is whole all the same, only its reader can tell.
   */
  end(): SseEvent[] {
    if (this.heldLength === 0) return [];
    const raw = new Uint8Array(this.heldLength + TERMINATOR.length);
    raw.set(this.held.subarray(0, this.heldLength));
    raw.set(TERMINATOR, this.heldLength);
    this.heldLength = 0;
    return [this.read(raw)];
  }

  private append(piece: Uint8Array): Uint8Array {
    const length = this.heldLength + piece.length;
    if (length > this.held.length) {
      const larger = new Uint8Array(Math.max(length, this.held.length * 2));
      larger.set(this.held.subarray(0, this.heldLength));
      this.held = larger;
    }
    this.held.set(piece, this.heldLength);
    this.heldLength = length;
    return this.held.subarray(0, length);
  }

  private hold(bytes: Uint8Array, from: number, lineStart: number): void {
    const length = bytes.length - from;
    if (length > this.limit)
      throw new SseEventTooLarge(`An event has more than ${this.limit} bytes`);
    if (from > 0 || this.heldLength === 0) this.held = length === 0 ? NOTHING : bytes.slice(from);
    this.heldLength = length;
    this.lineStart = lineStart - from;
    // The last byte may be a CR that was left for later.
    this.searched = Math.max(this.lineStart, length - 1);
  }

  private read(raw: Uint8Array): SseEvent {
    const first = !this.begun;
    this.begun = true;
    const fast = first ? null : this.readSingleLine(raw);
    return fast ?? this.readLines(raw, first);
  }

  /** The usual event, `data: …` and a blank line, without splitting it into lines. */
  private readSingleLine(raw: Uint8Array): SseEvent | null {
    for (let index = 0; index < DATA.length; index++) if (raw[index] !== DATA[index]) return null;
    const end = raw.indexOf(LF);
    if (end !== raw.length - 2 || raw[end - 1] === CR || raw.indexOf(CR) !== -1) return null;
    const start = raw[DATA.length] === 32 ? DATA.length + 1 : DATA.length;
    return { data: this.decoder.decode(raw.subarray(start, end)), event: undefined, raw };
  }

  private readLines(raw: Uint8Array, first: boolean): SseEvent {
    let text = this.decoder.decode(raw);
    if (first && text.startsWith("\uFEFF")) text = text.slice(1);
    const data: string[] = [];
    let event: string | undefined;
    for (const line of text.split(/\r\n|\n|\r/)) {
      const colon = line.indexOf(":");
      const field = colon === -1 ? line : line.slice(0, colon);
      const value = colon === -1 ? "" : line.slice(line[colon + 1] === " " ? colon + 2 : colon + 1);
      if (field === "data") data.push(value);
      else if (field === "event") event = value;
    }
    return { data: data.length > 0 ? data.join("\n") : null, event, raw };
  }
}

function nextLineEnd(bytes: Uint8Array, from: number): number {
  for (let at = from; at < bytes.length; at++) if (bytes[at] === LF || bytes[at] === CR) return at;
  return -1;
}
