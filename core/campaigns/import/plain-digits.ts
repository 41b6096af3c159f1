const OTHER = /[۰-۹٠-٩]/g;
/** Marks of writing direction, which spreadsheets put around numbers in Persian and Arabic. */
const UNSEEN = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
// oxlint-disable-next-line no-control-regex -- everything that is not ASCII
const NOT_ASCII = /[^\u0000-\u007f]/;

/** A text with its Persian and Arabic digits as plain ones, without marks of direction. Signs of numbers stay. */
export function plainDigits(text: string): string {
  if (!NOT_ASCII.test(text)) return text;
  // Both rows of ten have the digit in their last four bits.
  return text.replace(UNSEEN, "").replace(OTHER, (digit) => String(digit.charCodeAt(0) & 15));
}
