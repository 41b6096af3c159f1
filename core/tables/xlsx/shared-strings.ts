import type { ByteSource } from "../byte-source.ts";
import { inflateEntry } from "./inflate-entry.ts";
import { XmlScanner, xmlText, type XmlHandler } from "./xml-scanner.ts";
import { damaged, type ZipEntry } from "./zip-directory.ts";

/** Of all distinct texts together: the one thing of a workbook that must be held at once. */
const MOST_CHARACTERS = 32 * 1_048_576;
const MOST_TEXTS = 4 * 1_048_576;
const MOST_BYTES = 1_073_741_824;
/** As a power of two: 1,024. */
const PAGE_BITS = 10;

/**
 * The texts that cells name by number, held as pages of one long text each: a text costs its characters and four bytes,
 * not an object of its own.
 */
export class SharedStrings {
  readonly #pages: string[] = [];
  #starts = new Uint32Array(1_025);
  #count = 0;
  #open: string[] = [];

  get count(): number {
    return this.#count;
  }

  /** Empty for a number that no text has. */
  get(index: number): string {
    const page = this.#pages[index >> PAGE_BITS];
    if (page === undefined || !(index >= 0 && index < this.#count)) return "";
    const base = this.#starts[(index >> PAGE_BITS) << PAGE_BITS] ?? 0;
    return page.slice((this.#starts[index] ?? 0) - base, (this.#starts[index + 1] ?? 0) - base);
  }

  add(text: string): void {
    const end = (this.#starts[this.#count] ?? 0) + text.length;
    if (end > MOST_CHARACTERS || this.#count >= MOST_TEXTS) {
      throw damaged("its distinct texts come to more than 32 million characters");
    }
    this.#count += 1;
    if (this.#count >= this.#starts.length) this.#grow();
    this.#starts[this.#count] = end;
    this.#open.push(text);
    if (this.#open.length === 1 << PAGE_BITS) this.finishPage();
  }

  finishPage(): void {
    this.#pages.push(this.#open.join(""));
    this.#open = [];
  }

  #grow(): void {
    const larger = new Uint32Array(this.#starts.length * 2);
    larger.set(this.#starts);
    this.#starts = larger;
  }
}

/** Reads the part of shared texts; a workbook may have none. */
export async function readSharedStrings(
  source: ByteSource,
  entry: ZipEntry | undefined,
): Promise<SharedStrings> {
  const strings = new SharedStrings();
  if (entry === undefined) return strings;
  const scanner = new XmlScanner(new StringsHandler(strings));
  for await (const piece of inflateEntry(source, entry, MOST_BYTES)) scanner.push(piece);
  strings.finishPage();
  return strings;
}

/** `<si>` is a text: one `<t>`, or several in runs of different looks; `<rPh>` is how it is pronounced. */
class StringsHandler implements XmlHandler {
  readonly #strings: SharedStrings;
  #phonetic = false;

  constructor(strings: SharedStrings) {
    this.#strings = strings;
  }

  open(name: string, scanner: XmlScanner): void {
    if (name === "si") scanner.text = "";
    else if (name === "rPh") this.#phonetic = true;
    else if (name === "t") scanner.gathering = !this.#phonetic;
  }

  close(name: string, scanner: XmlScanner): void {
    if (name === "t") scanner.gathering = false;
    else if (name === "rPh") this.#phonetic = false;
    else if (name === "si") this.#strings.add(xmlText(scanner.text));
  }
}
