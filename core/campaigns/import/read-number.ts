import type { Cell } from "../../tables/table.ts";
import type { Amount } from "../store-facts.ts";
import { plainDigits } from "./plain-digits.ts";

/** Which sign stands before the fraction. The other one, and spaces and apostrophes, group thousands. */
export type DecimalMark = "." | ",";

const ZERO = 48;
const NINE = 57;
const DOT = 46;
/** What stands for "no value": nothing, dashes, n/a. */
const NOTHING = /^(?:[-–—\s]*|n\/?a|null|none|nan|#n\/a|#div\/0!?)$/i;
/** Signs of numbers in Persian and Arabic: of the fraction, of thousands. */
const FRACTION = "٫";
const THOUSANDS = /[٬،]/g;
/** Signs and codes of currencies around a number, and spaces of any kind, apostrophes among them. */
const AROUND = /[\s\u00a0\u202f\u2009'’]|\p{Sc}|ریال|تومان|zł|kr\.?|Rs\.?/gu;
const CODE = /^[A-Z]{1,3}\$?(?=[-+(\d.,])|(?<=[\d.,)])[A-Z]{3}$/g;
const SCIENTIFIC = /^[+-]?\d+(?:\.\d+)?e[+-]?\d{1,2}$/i;

/**
 * A number of a cell in units of `1 / scale`, rounded: with 1,000,000 the millionths of what the cell says. Null is "it
 * does not say", undefined "this is no number".
 */
export function readNumber(
  cell: Cell | undefined,
  mark: DecimalMark,
  scale: number,
): Amount | undefined {
  if (cell === undefined || cell === "") return null;
  if (typeof cell === "number") return scaled(cell, scale);
  if (typeof cell !== "string") return undefined;
  const plain = wholeNumber(cell);
  if (plain !== null && plain < 1e9) return plain * scale;
  return readText(cell, mark, scale);
}

/** What nearly all cells are: a few digits and nothing else. */
function wholeNumber(text: string): number | null {
  if (text.length > 9) return null;
  let value = 0;
  for (let at = 0; at < text.length; at += 1) {
    const digit = text.charCodeAt(at);
    if (digit < ZERO || digit > NINE) return null;
    value = value * 10 + digit - ZERO;
  }
  return value;
}

function readText(text: string, mark: DecimalMark, scale: number): Amount | undefined {
  const simple = mark === "." ? simpleFraction(text, scale) : null;
  if (simple !== null) return simple;
  const trimmed = text.trim();
  if (NOTHING.test(trimmed)) return null;
  const number = toPlain(trimmed, mark);
  if (number === null) return undefined;
  return exact(number.digits, number.fraction, scale * number.factor, number.negative);
}

/** `12.34`: digits, a point and up to six digits, in a scale that they fit. */
function simpleFraction(text: string, scale: number): number | null {
  const point = text.indexOf(".");
  const decimals = text.length - point - 1;
  if (point < 1 || point > 9 || decimals < 1 || decimals > 6 || scale !== 1_000_000) return null;
  let value = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (at === point) continue;
    const digit = text.charCodeAt(at);
    if (digit < ZERO || digit > NINE || digit === DOT) return null;
    value = value * 10 + digit - ZERO;
  }
  return value * 10 ** (6 - decimals);
}

interface PlainNumber {
  digits: string;
  fraction: string;
  negative: boolean;
  /** 0.01 of a percentage. */
  factor: number;
}

/** A number as people and programs write it; null where it is none, or its groups are none of thousands. */
function toPlain(text: string, mark: DecimalMark): PlainNumber | null {
  let rest = plainDigits(text)
    .replace(FRACTION, mark)
    .replace(THOUSANDS, mark === "." ? "," : ".");
  if (SCIENTIFIC.test(rest)) return ofDouble(Number(rest));
  rest = rest.replace(AROUND, "").replace(CODE, "");
  const percent = rest.endsWith("%");
  if (percent) rest = rest.slice(0, -1);
  const accounted = rest.startsWith("(") && rest.endsWith(")");
  if (accounted) rest = rest.slice(1, -1);
  const sign = /^[+\-−]/.exec(rest)?.[0];
  if (sign !== undefined) rest = rest.slice(1).replace(AROUND, "").replace(CODE, "");
  const parts = splitNumber(rest, mark);
  if (parts === null) return null;
  const negative = accounted || sign === "-" || sign === "−";
  return { ...parts, negative, factor: percent ? 0.01 : 1 };
}

function splitNumber(text: string, mark: DecimalMark): { digits: string; fraction: string } | null {
  const group = mark === "." ? "," : ".";
  const at = text.lastIndexOf(mark);
  const whole = at < 0 ? text : text.slice(0, at);
  const fraction = at < 0 ? "" : text.slice(at + 1);
  if (!/^\d*$/.test(fraction) || (whole === "" && fraction === "")) return null;
  // Thousands in threes; in India the further groups are twos.
  const grouped = group === "," ? /^\d{1,3}(?:,\d{2,3})*,\d{3}$/ : /^\d{1,3}(?:\.\d{2,3})*\.\d{3}$/;
  if (!/^\d*$/.test(whole) && !grouped.test(whole)) return null;
  return { digits: whole.replaceAll(group, "").replace(/^0+(?=\d)/, ""), fraction };
}

function ofDouble(value: number): PlainNumber | null {
  if (!Number.isFinite(value) || Math.abs(value) >= 1e18) return null;
  const [digits = "", fraction = ""] = Math.abs(value).toFixed(6).split(".");
  return { digits, fraction, negative: value < 0, factor: 1 };
}

/** The number in its scale to the last digit; what is beyond the scale is rounded half up. */
function exact(
  digits: string,
  fraction: string,
  scale: number,
  negative: boolean,
): Amount | undefined {
  if (digits.length > 18) return undefined;
  const places = Math.round(Math.log10(scale));
  const cut = places >= 0 ? fraction.slice(0, places).padEnd(places, "0") : "";
  const kept = places >= 0 ? digits + cut : digits.slice(0, places) || "0";
  const next =
    places >= 0 ? fraction.charCodeAt(places) : digits.charCodeAt(digits.length + places);
  const value = BigInt(kept === "" ? "0" : kept) + (next >= ZERO + 5 && next <= NINE ? 1n : 0n);
  if (value > 9_000_000_000_000_000_000n) return undefined;
  const signed = negative ? -value : value;
  return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed;
}

/** A number of a workbook: a double, so that its shortest decimal form is what was typed. */
function scaled(value: number, scale: number): Amount | undefined {
  if (Number.isInteger(value) && Math.abs(value) < 1e9) return value * scale;
  const text = String(value);
  const plain = text.includes("e")
    ? ofDouble(value)
    : {
        digits: text.replace("-", "").split(".")[0] ?? "",
        fraction: text.split(".")[1] ?? "",
        negative: value < 0,
      };
  return plain === null ? undefined : exact(plain.digits, plain.fraction, scale, plain.negative);
}

/** What a number's text says of the decimal mark; null where it could be either, or is no number of these. */
export function markTold(text: string): DecimalMark | null {
  const rest = plainDigits(text)
    .trim()
    .replace(AROUND, "")
    .replace(CODE, "")
    .replace(/^[-+−(]+|[)%]+$/g, "");
  if (!/^[\d.,]*\d[\d.,]*$/.test(rest)) return null;
  const [point, comma] = [rest.lastIndexOf("."), rest.lastIndexOf(",")];
  if (point < 0 && comma < 0) return null;
  if (point >= 0 && comma >= 0) return point > comma ? "." : ",";
  const [mark, other] = point >= 0 ? ([".", ","] as const) : ([",", "."] as const);
  const [first = "", ...groups] = rest.split(mark);
  if (groups.length > 1) return other; // it groups
  const decimals = groups[0]?.length ?? 0;
  if (decimals === 3 && first.length <= 3 && first !== "" && !first.startsWith("0")) return null;
  return mark;
}
