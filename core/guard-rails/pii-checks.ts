import { parseIp } from "../kernel/ip-address.ts";

/** Where each script's digits begin; see `\d` in matching/pattern-syntax.ts. */
const ZEROS = [0x30, 0x660, 0x6f0, 0xff10];

/** The digits of a text in any of the scripts, as numbers; everything else is left out. */
function digitsOf(text: string): number[] {
  const digits: number[] = [];
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    const zero = ZEROS.find((first) => unit >= first && unit < first + 10);
    if (zero !== undefined) digits.push(unit - zero);
  }
  return digits;
}

/** How many digits the numbers of the networks have, by what they begin with (ISO/IEC 7812). */
const CARD_LENGTHS: readonly [RegExp, readonly number[]][] = [
  [/^4/, [13, 16, 19]],
  [/^3[47]/, [15]],
  [/^3(?:0[0-5]|[689])/, [14]],
  [/^(?:2[2-7]|35|5|6)/, [16, 17, 18, 19]],
];

/** Whether a text is the number of a payment card: a network's beginning and length, and Luhn's check digit. */
export function isCardNumber(text: string): boolean {
  const digits = digitsOf(text);
  const number = digits.join("");
  const lengths = CARD_LENGTHS.find(([beginning]) => beginning.test(number))?.[1];
  if (lengths?.includes(number.length) !== true) return false;
  let sum = 0;
  digits.toReversed().forEach((digit, place) => {
    const doubled = place % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  });
  return sum % 10 === 0;
}

/** The length of an IBAN by country (SWIFT's registry); of others only the check digits are looked at. */
const IBAN_LENGTHS = new Map(
  (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 " +
    "FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IR26 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 " +
    "LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 " +
    "SD18 SE24 SI19 SK24 SM27 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20"
  )
    .split(" ")
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
);

/** Whether a text is an IBAN: its country's length, and the remainder 1 of ISO 7064 (mod 97). */
export function isIban(text: string): boolean {
  const plain = text.replace(/[ -]/g, "").toUpperCase();
  const length = IBAN_LENGTHS.get(plain.slice(0, 2));
  if (length === undefined ? plain.length < 15 || plain.length > 34 : plain.length !== length)
    return false;
  let remainder = 0;
  for (const character of plain.slice(4) + plain.slice(0, 4)) {
    const value = Number.parseInt(character, 36);
    if (Number.isNaN(value)) return false;
    remainder = (remainder * (value > 9 ? 100 : 10) + value) % 97;
  }
  return remainder === 1;
}

/** Whether a text may be a social security number of the United States: numbers that are never given out are none. */
export function isSocialSecurityNumber(text: string): boolean {
  const digits = digitsOf(text).join("");
  const area = digits.slice(0, 3);
  if (area === "000" || area === "666" || area.startsWith("9")) return false;
  return digits.slice(3, 5) !== "00" && digits.slice(5) !== "0000";
}

/** Whether a text is an IPv6 address; names of program code such as `abc::def` are not taken for one. */
export function isIpv6(text: string): boolean {
  return /\d/.test(text) && text.split(":").filter(Boolean).length > 1 && parseIp(text) !== null;
}
