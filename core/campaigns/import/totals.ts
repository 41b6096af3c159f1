/** Words with which exports and people begin a row of totals. */
const TOTAL =
  /^(?:grand |overall )?(?:totals?|sum|subtotal|summe|gesamt(?:summe|ergebnis)?|insgesamt|totaux|somme|totale|totaal|suma|итого|всего|جمع(?: کل)?|مجموع)(?=$|[\s:–-])/i;
/** The same with nothing behind that could make it a name. */
const ONLY_TOTAL =
  /^(?:grand |overall )?(?:totals?|subtotal|summe|gesamt(?:summe|ergebnis)?|insgesamt|totaux|totale|totaal|итого|всего|جمع کل)\s*(?::.*)?$/i;

/**
 * Whether a text names a row of totals.
 * @param strict for a row with everything that a fact has, since a campaign may be called "Total Body Workout"
 */
export function isTotal(text: string, strict: boolean): boolean {
  return (strict ? ONLY_TOTAL : TOTAL).test(text.trim());
}

/** Whether a text stands for nothing: empty, dashes, n/a. */
export function saysNothing(text: string): boolean {
  if (text === "") return true;
  const first = text.charCodeAt(0);
  // Letters and digits but for n/a: nearly all texts.
  if (first > 47 && first !== 78 && first !== 110 && first < 0x2000) return false;
  return /^(?:[-–—\s]*|n\/?a|null|none)$/i.test(text);
}
