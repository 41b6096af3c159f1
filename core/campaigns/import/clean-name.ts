/** Of a part of a fact's key. */
const MOST_BYTES = 800;
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const ODD = /[\u0000-\u001f\u007f\ud800-\udfff]|^\s|\s$/;
// oxlint-disable-next-line no-control-regex -- as above
const CONTROL = /[\u0000-\u001f\u007f]+/g;

/** A name without what a database does not take and nobody sees: control characters, halves of characters, outer spaces. */
export function cleanName(text: string): string {
  return ODD.test(text) ? text.toWellFormed().replace(CONTROL, " ").trim() : text;
}

/** Whether a text fits a key of a fact. */
export function fitsKey(text: string): boolean {
  return text.length * 3 <= MOST_BYTES || new TextEncoder().encode(text).length <= MOST_BYTES;
}
