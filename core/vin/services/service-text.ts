/** Names that are no words: BMW stays, HONDA becomes Honda. */
const SHORTEST_WORD = 4;

/** What vPIC's service writes in capitals, as its data has it: `HONDA` is Honda, `MERCEDES-BENZ` Mercedes-Benz, `BMW` BMW. */
export function titleCase(text: string): string {
  if (text !== text.toUpperCase()) return text;
  return text.replaceAll(/[\p{L}\d]+/gu, (word) =>
    word.length < SHORTEST_WORD ? word : word.charAt(0) + word.slice(1).toLowerCase(),
  );
}

/** `UNITED STATES (USA)` is United States. */
export function plainCountry(text: string): string {
  return titleCase(text.replace(/\s*\(.*\)$/, ""));
}
