import { correctVin } from "./correct-vin.ts";
import { needsCheckDigit } from "./regions.ts";
import { checkDigitOf, normaliseVin, VIN_CHARACTERS, VIN_LENGTH } from "./vin.ts";

/** What can be wrong with a VIN. */
export const VIN_FAULTS = ["length", "characters", "check_digit"] as const;

/** A text that is no VIN: why, and which VINs it may have been. */
export interface WrongVin {
  valid: false;
  vin: string;
  faults: { code: (typeof VIN_FAULTS)[number]; message: string }[];
  /** VINs that are right, the most likely first. */
  corrections: string[];
}

/** A text that may be a VIN. Outside North America a wrong check digit is no fault: many makers there use none. */
export interface PlausibleVin {
  valid: true;
  vin: string;
  checkDigit: { expected: string; right: boolean; required: boolean };
}

const MOST_CORRECTIONS = 5;
/** How much of a wrong text is shown again. */
const SHOWN = 40;

/**
 * Checks what somebody typed as a VIN. Never throws.
 */
export function inspectVin(text: string): PlausibleVin | WrongVin {
  const vin = normaliseVin(text);
  const faults = faultsOf(vin);
  if (faults.length > 0) {
    const corrections = correctVin(vin);
    return { valid: false, vin: vin.slice(0, SHOWN), faults, corrections };
  }
  const expected = checkDigitOf(vin);
  const right = vin.charAt(8) === expected;
  return { valid: true, vin, checkDigit: { expected, right, required: needsCheckDigit(vin) } };
}

/** The best few of the corrections. */
export function bestCorrections(corrections: readonly string[]): string[] {
  return corrections.slice(0, MOST_CORRECTIONS);
}

function faultsOf(vin: string): WrongVin["faults"] {
  const faults: WrongVin["faults"] = [];
  const length = [...vin].length;
  if (length !== VIN_LENGTH) {
    faults.push({
      code: "length",
      message: `A VIN has 17 characters, and this has ${length}: ${length < VIN_LENGTH ? "some are missing" : "some are too many"}.`,
    });
  }
  const wrong = [...vin].flatMap((character, at) =>
    VIN_CHARACTERS.includes(character) ? [] : [{ character, position: at + 1 }],
  );
  if (wrong.length > 0) faults.push({ code: "characters", message: describeWrong(wrong) });
  if (faults.length === 0 && needsCheckDigit(vin) && vin.charAt(8) !== checkDigitOf(vin)) {
    faults.push({
      code: "check_digit",
      message: `The check digit, position 9, is ${vin.charAt(8)} and would have to be ${checkDigitOf(vin)}: a character is wrong, or two are exchanged.`,
    });
  }
  return faults;
}

/** How many wrong characters one message names. */
const NAMED = 5;

function describeWrong(wrong: { character: string; position: number }[]): string {
  const named = wrong
    .slice(0, NAMED)
    .map(({ character, position }) => `${character} at position ${position}`)
    .join(", ");
  const more = wrong.length > NAMED ? ` and ${wrong.length - NAMED} more` : "";
  const letters = wrong.every(({ character }) => "IOQ".includes(character));
  return letters
    ? `A VIN has no I, O or Q, since they look like 1 and 0: ${named}${more}.`
    : `A VIN has digits and plain capital letters only: ${named}${more}.`;
}
