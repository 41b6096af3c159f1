import type { Choice } from "./choose-reading.ts";
import type { PlausibleVin } from "./inspect-vin.ts";
import type { VinWarning } from "./vin-report.ts";

interface Judged {
  inspected: PlausibleVin;
  choice: Choice;
  /** Whether what vPIC says holds for this VIN. */
  confirmed: boolean;
  make: string | null;
  model: string | null;
}

/** How many makes or models one warning names. */
const NAMED = 6;

/** What a caller should know before relying on the report. */
export function warningsOf(of: Judged): VinWarning[] {
  const { choice, confirmed, model } = of;
  const warnings = [...makerWarnings(of)];
  if (!confirmed) {
    warnings.push({
      code: "not_confirmed",
      message:
        "Nothing shows that this vehicle was made for North America, which the data is about: only the maker, the country and the plant are told.",
    });
    return warnings;
  }
  if (choice.maker && model === null)
    warnings.push({ code: "model_unknown", message: "The data knows no model for this VIN." });
  if (choice.rivals.length > 0) {
    const models = [...new Set(choice.rivals.map((rival) => rival.model))].slice(0, NAMED);
    warnings.push({
      code: "other_model",
      message: `Other models fit nearly as well: ${models.join(", ")}.`,
    });
  }
  return [...warnings, ...yearWarnings(choice)];
}

function makerWarnings({ inspected, choice, make }: Judged): VinWarning[] {
  const { checkDigit } = inspected;
  const warnings: VinWarning[] = [];
  if (!checkDigit.right) {
    warnings.push({
      code: "check_digit",
      message: `Position 9 is not the check digit ${checkDigit.expected}. Many makers outside North America use none, but a wrong character may be the cause as well.`,
    });
  }
  if (!choice.maker) {
    warnings.push({
      code: "unknown_maker",
      message:
        make === null
          ? "Nothing is known of this maker's code."
          : "The maker is known by its code only; the data has nothing of its vehicles.",
    });
  } else if (make === null) {
    const makes = choice.maker.entry.makes.slice(0, NAMED).join(", ");
    warnings.push({ code: "make_unknown", message: `The maker has several makes: ${makes}.` });
  }
  return warnings;
}

function yearWarnings({ year, years, yearIsSure }: Choice): VinWarning[] {
  if (years.length === 0)
    return [{ code: "year_unknown", message: "Position 10 stands for no model year." }];
  if (yearIsSure) return [];
  const both = years.join(" or ");
  const message =
    year === null
      ? `The model year may be ${both}.`
      : `The model year may be ${both}; ${year} fits better.`;
  return [{ code: "year_ambiguous", message }];
}
