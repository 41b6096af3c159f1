const MOST_CHARACTERS = 31;

/** Names that Excel takes: without its signs, short enough, and each but once. */
export class SheetNames {
  readonly #taken = new Set<string>();

  next(wanted: string): string {
    const plain =
      wanted
        .replace(/[[\]:*?/\\]/g, " ")
        .replace(/^'+|'+$/g, "")
        .trim() || "Sheet";
    let name = plain.slice(0, MOST_CHARACTERS);
    for (let number = 2; this.#taken.has(name.toLowerCase()); number += 1) {
      const end = ` ${number}`;
      name = plain.slice(0, MOST_CHARACTERS - end.length) + end;
    }
    this.#taken.add(name.toLowerCase());
    return name;
  }
}
