import { describe, expect, it } from "vitest";
import { compileGuardRails } from "./guard-rails.ts";
import { PII_KINDS, type PiiKind } from "./pii.ts";
import { guardRail } from "./rules.ts";
import { TextFilter } from "./text-filter.ts";

function masked(text: string, kinds: readonly PiiKind[] = PII_KINDS): string {
  const rule = guardRail.parse({ name: "pii", pii: [...kinds], action: "mask" });
  const { input } = compileGuardRails([rule], "digest");
  if (!input) throw new Error("There is no rule");
  const whole = new TextFilter(input);
  const result = whole.push(text) + whole.end();
  const single = new TextFilter(input);
  const bySingle =
    text
      .split("")
      .map((unit) => single.push(unit))
      .join("") + single.end();
  expect(bySingle).toBe(result);
  return result;
}

/** The text with everything that the kind finds named. */
const only = (kind: PiiKind) => (text: string) => masked(text, [kind]);

describe("personal data is found", () => {
  it.each([
    ["Mail ada.lovelace+x@mail.example.co.uk, please.", "Mail [EMAIL], please."],
    ["<ADA@EXAMPLE.ORG>", "<[EMAIL]>"],
    ["mailto:o'neil@example.museum?x=1", "mailto:[EMAIL]?x=1"],
    ["پست@مثال.ایران است", "[EMAIL] است"],
    ["jörg@müller.example.", "[EMAIL]."],
  ])("e-mail addresses: %s", (text, expected) => expect(only("email")(text)).toBe(expected));

  it.each([
    ["+49 (0)151 1234-5678", "[PHONE]"],
    ["+989121234567,", "[PHONE],"],
    ["0098 912 345 6789", "[PHONE]"],
    ["call (555) 123-4567 now", "call [PHONE] now"],
    ["555-123-4567", "[PHONE]"],
    ["09121234567", "[PHONE]"],
    ["۰۹۱۲۱۲۳۴۵۶۷", "[PHONE]"],
    ["0151 12345678", "[PHONE]"],
    ["+1 415 555 2671.", "[PHONE]."],
  ])("phone numbers: %s", (text, expected) => expect(only("phone")(text)).toBe(expected));

  it.each([
    ["4111 1111 1111 1111", "[CARD]"],
    ["4111-1111-1111-1111 cvc 123", "[CARD] cvc 123"],
    ["4111 1111 1111 1111 123", "[CARD] 123"],
    ["12 4111111111111111", "12 [CARD]"],
    ["378282246310005", "[CARD]"],
    ["6221 0612 1234 5672 and ۴۱۱۱۱۱۱۱۱۱۱۱۱۱۱۱", "6221 0612 1234 5672 and [CARD]"],
  ])("numbers of payment cards: %s", (text, expected) => expect(only("card")(text)).toBe(expected));

  it.each([
    ["DE89 3704 0044 0532 0130 00", "[IBAN]"],
    ["gb82west12345698765432.", "[IBAN]."],
    ["IR062960000000100324200001 please", "[IBAN] please"],
    ["NO93 8601 1117 947 to me", "[IBAN] to me"],
  ])("IBANs: %s", (text, expected) => expect(only("iban")(text)).toBe(expected));

  it.each([
    ["078-05-1120", "[SSN]"],
    ["SSN 219 09 9999!", "SSN [SSN]!"],
  ])("social security numbers: %s", (text, expected) => expect(only("ssn")(text)).toBe(expected));

  it.each([
    ["from 203.0.113.9:80", "from [IP]:80"],
    ["2001:db8::8a2e:370:7334", "[IP]"],
    ["fe80::1 and 10.0.0.255", "[IP] and [IP]"],
  ])("addresses of machines: %s", (text, expected) => expect(only("ip")(text)).toBe(expected));
});

describe("what only looks like personal data stays", () => {
  it.each([
    "On 2026-11-21 at 12:30:45 it cost 1,234,567.89 dollars.",
    "Version 1.2.3, build 20261121, 3.14159265358979.",
    "4111 1111 1111 1112 fails its check digit, 1234567890123 too.",
    "GB82 WEST 1234 5698 7654 33 fails its check digits.",
    "000-12-3456 and 666-12-3456 and 900-12-3456 are never given out.",
    "std::string, a::b, abc::def and 12:34:56:78 are no addresses; 256.1.1.1 neither, nor 1.2.3.",
    "user@localhost, @ada, a@b and x @ y.example are no mail.",
    "550e8400-e29b-41d4-a716-446655440000 is a UUID, 1763740800 a time.",
    "سلام، این متن ۱۲۳ است.",
  ])("%s", (text) => expect(masked(text)).toBe(text));
});

it("a rule may name its own replacement for all kinds", () => {
  const rule = guardRail.parse({
    name: "pii",
    pii: ["email", "ip"],
    action: "mask",
    replacement: "***",
  });
  const filter = new TextFilter(
    compileGuardRails([rule], "digest").input ?? { deny: null, mask: null },
  );
  expect(filter.push("a@b.example, 10.0.0.1") + filter.end()).toBe("***, ***");
});
