import type { CombinedSources } from "./combine-sources.ts";
import { ELEMENT } from "./maker-file.ts";
import type { OfflineReading } from "./read-offline.ts";
import { SERVICE_TITLE, type ServiceName } from "./services/service-facts.ts";
import type { VinSource, VinWarning } from "./vin-report.ts";

/** How many makes or models one warning names. */
const NAMED = 6;

/** What a caller should know before relying on the report. What a service made clear is no warning any more. */
export function warningsOf(
  reading: OfflineReading,
  combined: CombinedSources,
  unanswered: readonly ServiceName[],
): VinWarning[] {
  return [
    ...makerWarnings(reading, combined),
    ...modelWarnings(reading, combined),
    ...sourceWarnings(combined),
    ...unanswered.map((service) => ({
      code: "service_unavailable" as const, // keeps the literal type
      message: `${SERVICE_TITLE[service]} could not be asked; it may know more another time.`,
    })),
  ];
}

function makerWarnings(reading: OfflineReading, combined: CombinedSources): VinWarning[] {
  const { checkDigit, makerKnown, makes } = reading;
  const warnings: VinWarning[] = [];
  if (!checkDigit.right) {
    warnings.push({
      code: "check_digit",
      message: `Position 9 is not the check digit ${checkDigit.expected}. Many makers outside North America use none, but a wrong character may be the cause as well.`,
    });
  }
  if (!makerKnown && (combined.make === null || combined.source === "offline")) {
    warnings.push({
      code: "unknown_maker",
      message:
        combined.make === null
          ? "Nothing is known of this maker's code."
          : "The maker is known by its code only; the data has nothing of its vehicles.",
    });
  } else if (combined.make === null) {
    warnings.push({
      code: "make_unknown",
      message: `The maker has several makes: ${makes.slice(0, NAMED).join(", ")}.`,
    });
  }
  return warnings;
}

function modelWarnings(reading: OfflineReading, combined: CombinedSources): VinWarning[] {
  const hasModel = combined.values.has(ELEMENT.model);
  if (!reading.confirmed) {
    if (hasModel) return [];
    return [
      {
        code: "not_confirmed",
        message:
          "Nothing shows that this vehicle was made for North America, which the data is about: only the maker, the country and the plant are told.",
      },
    ];
  }
  const warnings: VinWarning[] = [];
  if (reading.makerKnown && !hasModel)
    warnings.push({ code: "model_unknown", message: "The data knows no model for this VIN." });
  if (reading.rivals.length > 0 && combined.source === "offline") {
    warnings.push({
      code: "other_model",
      message: `Other models fit nearly as well: ${reading.rivals.slice(0, NAMED).join(", ")}.`,
    });
  }
  return [...warnings, ...yearWarnings(reading, combined)];
}

function yearWarnings(
  { likelyYear, years, yearIsSure }: OfflineReading,
  { year, source }: CombinedSources,
): VinWarning[] {
  if (year !== null && source !== "offline") return []; // a service told it
  if (years.length === 0)
    return [{ code: "year_unknown", message: "Position 10 stands for no model year." }];
  if (yearIsSure) return [];
  const both = years.join(" or ");
  const message =
    likelyYear === null
      ? `The model year may be ${both}.`
      : `The model year may be ${both}; ${likelyYear} fits better.`;
  return [{ code: "year_ambiguous", message }];
}

const titleOf = (source: VinSource) =>
  source === "offline" ? "our own data" : SERVICE_TITLE[source];

function sourceWarnings(combined: CombinedSources): VinWarning[] {
  const { source, contradictions, unsupported, ambiguous } = combined;
  const warnings: VinWarning[] = contradictions.map(({ by }) => ({
    code: "contradiction",
    message: `${capital(titleOf(by.source))} says ${[by.make, by.model, by.year].filter((part) => part !== null).join(" ")}; told is what ${titleOf(source)} says.`,
  }));
  if (unsupported)
    warnings.push({
      code: "single_source",
      message: `Only ${titleOf(source)} says so, and nothing else confirms it.`,
    });
  if (ambiguous)
    warnings.push({
      code: "ambiguous",
      message: `Several vehicles have VINs like this one, and ${SERVICE_TITLE.autodev} names one of them.`,
    });
  return warnings;
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
