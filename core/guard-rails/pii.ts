import { isCardNumber, isIban, isIpv6, isSocialSecurityNumber } from "./pii-checks.ts";

/** Kinds of personal data that are found without a pattern of one's own. */
export const PII_KINDS = ["email", "phone", "card", "iban", "ssn", "ip"] as const;
export type PiiKind = (typeof PII_KINDS)[number];

/** Grows when what a kind finds changes, so that answers which were kept under the old one are not given any more. */
export const PII_VERSION = 1;

interface PiiPattern {
  pattern: string;
  /** Of a kind that has check digits or the like. Its pattern counts its characters, so that beginnings stay apart. */
  check: ((text: string) => boolean) | null;
}

/** The 0 of a national number and what follows it, in Latin, Arabic and Persian digits. */
const TRUNK = "[0٠۰][1-9١-٩۱-۹]";
const OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";

/** What each kind looks like; docs/guard-rails.md says it in words. */
export const PII_PATTERNS: Readonly<Record<PiiKind, readonly PiiPattern[]>> = {
  email: [
    {
      pattern:
        "[\\p{L}\\p{N}._%+'-]+@(?:[\\p{L}\\p{N}](?:[\\p{L}\\p{N}-]*[\\p{L}\\p{N}])?\\.)+\\p{L}{2,}",
      check: null,
    },
  ],
  phone: [
    // International: +49 (0)151 123-4567, 0098 912 345 6789
    { pattern: "(?:\\+|\\b00)[ ]?[1-9](?:[ .()/-]{0,2}\\d){6,13}\\b", check: null },
    // North America: (555) 123-4567, 555-123-4567
    { pattern: "(?:\\(\\d{3}\\) ?|\\b\\d{3}[ .-])\\d{3}[ .-]\\d{4}\\b", check: null },
    // National, with the trunk's 0: 09121234567, 0151 1234567, 030/1234-567
    { pattern: `\\b${TRUNK}(?:[ ./-]?\\d){8,9}\\b`, check: null },
    { pattern: `\\b${TRUNK}\\d{1,3}[ /-]\\d(?:[ -]?\\d){4,7}\\b`, check: null },
  ],
  card: [{ pattern: "\\b\\d(?:[ -]?\\d){12,18}\\b", check: isCardNumber }],
  iban: [{ pattern: "\\b[A-Z]{2}[0-9]{2}(?:[ -]?[A-Z0-9]){11,30}\\b", check: isIban }],
  ssn: [{ pattern: "\\b\\d{3}[ -]\\d{2}[ -]\\d{4}\\b", check: isSocialSecurityNumber }],
  ip: [
    { pattern: `\\b${OCTET}(?:\\.${OCTET}){3}\\b`, check: null },
    { pattern: "\\b[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){2,7}\\b", check: isIpv6 },
  ],
};
