import { AppError } from "../kernel/errors.ts";

/** A part of `multipart/form-data`. Its body has to be read, or cancelled, before the next part comes. */
export interface FormPart {
  name: string;
  /** Null for a field that is no file. */
  fileName: string | null;
  contentType: string | null;
  body: ReadableStream<Uint8Array>;
}

/** Of the lines above a part. */
const MOST_HEADER_BYTES = 16_384;
const MOST_PARTS = 50;
const RETURN = 13;

/**
 * The boundary that a content type names.
 * @throws AppError `invalid_request` where it names none
 */
export function boundaryOf(contentType: string): string {
  const match = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType);
  const boundary = match?.[1] ?? match?.[2];
  if (boundary !== undefined) return boundary;
  throw malformed("its content type names no boundary");
}

/**
 * The parts of a form as they come (RFC 7578), nothing of a file held in memory but the last few bytes, which may be
 * the beginning of its end.
 * @throws AppError `invalid_request` for a form that is malformed or cut off, also from a part's body
 */
export async function* readMultipart(
  stream: ReadableStream<Uint8Array>,
  boundary: string,
): AsyncGenerator<FormPart, void, undefined> {
  const bytes = new Upcoming(stream);
  const encoder = new TextEncoder();
  // The first boundary has no line end before it, so one is put there.
  bytes.unread(encoder.encode("\r\n"));
  const delimiter = encoder.encode(`\r\n--${boundary}`);
  try {
    await skipTo(bytes, delimiter);
    for (let count = 0; await hasMore(bytes); count += 1) {
      if (count >= MOST_PARTS) throw malformed(`it has more than ${MOST_PARTS} parts`);
      const facts = partFacts(await readHeader(bytes));
      const end = { reached: false };
      yield { ...facts, body: bodyOf(bytes, delimiter, end) };
      if (!end.reached) await skipTo(bytes, delimiter);
    }
  } finally {
    await bytes.cancel();
  }
}

/** Text of a field, which is short. @throws AppError `invalid_request` for a longer one */
export async function fieldText(part: FormPart, mostBytes: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  for await (const piece of part.body) {
    length += piece.length;
    if (length > mostBytes) throw malformed(`its field ${part.name} is over ${mostBytes} bytes`);
    text += decoder.decode(piece, { stream: true });
  }
  return text + decoder.decode();
}

function malformed(why: string): AppError {
  return new AppError("invalid_request", { message: `The form cannot be read: ${why}.` });
}

/** After a boundary: two dashes end the form, a line end begins a part. */
async function hasMore(bytes: Upcoming): Promise<boolean> {
  if (!(await bytes.have(2))) throw malformed("it is cut off");
  const [first, second] = bytes.take(2);
  if (first === 45 && second === 45) return false;
  if (first === RETURN && second === 10) return true;
  throw malformed("there is something behind a boundary");
}

async function readHeader(bytes: Upcoming): Promise<string> {
  const end = new TextEncoder().encode("\r\n\r\n");
  // A part without any line above it begins with its empty line.
  bytes.unread(new Uint8Array([RETURN, 10]));
  for (;;) {
    const at = bytes.find(end);
    if (at >= 0) {
      const header = new TextDecoder().decode(bytes.take(at));
      bytes.take(end.length);
      return header;
    }
    if (bytes.length > MOST_HEADER_BYTES) throw malformed("the lines above a part are too long");
    if (!(await bytes.more())) throw malformed("it is cut off");
  }
}

function partFacts(header: string): Omit<FormPart, "body"> {
  const disposition = /^content-disposition:\s*form-data\b(.*)$/im.exec(header)?.[1] ?? "";
  const name = parameter(disposition, "name");
  if (name === null) throw malformed("a part has no name");
  return {
    name,
    fileName: parameter(disposition, "filename"),
    contentType: /^content-type:\s*(.+?)\s*$/im.exec(header)?.[1] ?? null,
  };
}

/** Browsers write a quotation mark within a name as `%22`, others with a backslash. */
function parameter(disposition: string, name: string): string | null {
  const match = new RegExp(`;\\s*${name}=(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s;]+))`, "i").exec(
    disposition,
  );
  const text = match?.[1] ?? match?.[2];
  return text?.replaceAll("%22", '"').replace(/\\(["\\])/g, "$1") ?? null;
}

function bodyOf(
  bytes: Upcoming,
  delimiter: Uint8Array,
  end: { reached: boolean },
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      while (!end.reached) {
        const piece = await pieceBefore(bytes, delimiter, end);
        if (piece.length === 0) continue;
        controller.enqueue(piece);
        break;
      }
      if (end.reached) controller.close();
    },
  });
}

async function skipTo(bytes: Upcoming, delimiter: Uint8Array): Promise<void> {
  const end = { reached: false };
  while (!end.reached) await pieceBefore(bytes, delimiter, end);
}

/** The next bytes that are certainly before the delimiter; takes the delimiter where it is reached. */
async function pieceBefore(
  bytes: Upcoming,
  delimiter: Uint8Array,
  end: { reached: boolean },
): Promise<Uint8Array> {
  const at = bytes.find(delimiter);
  if (at >= 0) {
    const piece = bytes.take(at);
    bytes.take(delimiter.length);
    end.reached = true;
    return piece;
  }
  const safe = bytes.take(Math.max(0, bytes.length - delimiter.length + 1));
  if (safe.length === 0 && !(await bytes.more())) throw malformed("it is cut off");
  return safe;
}

/** Bytes of a stream that have come and are not taken yet. */
class Upcoming {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #bytes: Uint8Array = new Uint8Array();

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
  }

  get length(): number {
    return this.#bytes.length;
  }

  /** False at the stream's end. */
  async more(): Promise<boolean> {
    const { done, value } = await this.#reader.read();
    if (done) return false;
    this.#bytes = this.length === 0 ? value : joined(this.#bytes, value);
    return true;
  }

  async have(count: number): Promise<boolean> {
    while (this.length < count) if (!(await this.more())) return false;
    return true;
  }

  take(count: number): Uint8Array {
    const taken = this.#bytes.slice(0, count);
    this.#bytes = this.#bytes.subarray(count);
    return taken;
  }

  unread(bytes: Uint8Array): void {
    this.#bytes = joined(bytes, this.#bytes);
  }

  /** Where these bytes, which begin with a carriage return, stand; -1 where they do not. */
  find(wanted: Uint8Array): number {
    const bytes = this.#bytes;
    for (let at = bytes.indexOf(RETURN); at >= 0; at = bytes.indexOf(RETURN, at + 1)) {
      if (at + wanted.length > bytes.length) return -1;
      let matched = 1;
      while (matched < wanted.length && bytes[at + matched] === wanted[matched]) matched += 1;
      if (matched === wanted.length) return at;
    }
    return -1;
  }

  async cancel(): Promise<void> {
    await this.#reader.cancel().catch(() => undefined);
  }
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
