import type { GatheredValue } from "./gather-values.ts";
import { ELEMENT } from "./maker-file.ts";
import type { OfflineReading } from "./read-offline.ts";
import { differenceOf, type Identity, isSameMake } from "./same-vehicle.ts";
import { SERVICE_TITLE, type ServiceFacts } from "./services/service-facts.ts";
import type { Confidence, VinSource } from "./vin-report.ts";

/** What all sources together say of a VIN. */
export interface CombinedSources {
  /** Whose make, model and year are told. */
  source: VinSource;
  /** All whose values are told. */
  sources: VinSource[];
  manufacturer: Told | null;
  make: Told | null;
  year: { value: number; source: string } | null;
  type: Told | null;
  values: ReadonlyMap<number, GatheredValue>;
  confidence: Confidence;
  /** Those who say something else, and what. */
  contradictions: { by: Candidate; about: "make" | "year" | "model" }[];
  /** Make, model and year come from a service alone, and nothing else says the same. */
  unsupported: boolean;
  /** A service named one of several vehicles. */
  ambiguous: boolean;
}

export interface Told {
  value: string;
  source: string;
}

interface Candidate extends Identity {
  source: VinSource;
  sure: boolean;
  facts: ServiceFacts | null;
}

/**
 * Puts together what our own data and the services say.
 * @param facts in the order in which they count
 * @param offlineAt how many of the services count more than our own data does
 */
export function combineSources(
  reading: OfflineReading,
  facts: readonly ServiceFacts[],
  offlineAt = 0,
): CombinedSources {
  const asked = facts.filter((one) => isPossible(one, reading)).map(candidateOf);
  const candidates = asked.toSpliced(offlineAt, 0, offlineCandidate(reading));
  const lead = leadOf(candidates, reading);
  const others = candidates.filter((one) => one !== lead);
  const contradictions = others.flatMap((by) => {
    const about = contradictionOf(lead, by, reading);
    return about === null ? [] : [{ by, about }];
  });
  const agreeing = others.filter((one) => !contradictions.some(({ by }) => by === one));
  const supported = agreeing.some((one) => supports(one, lead, reading));
  const used = [lead, ...agreeing];
  const services = used.flatMap((one) => one.facts ?? []);
  const offlineUsed = used.some(({ facts: own }) => own === null);
  const first = <Value>(value: (one: Candidate) => Value | null) =>
    used.map(value).find((one) => one !== null) ?? null;
  const year = first(({ year: value, source }) =>
    value === null ? null : { value, source: sourceOfYear(source) },
  );
  return {
    source: lead.source,
    sources: used.map(({ source }) => source),
    manufacturer: toldOf("manufacturer", reading, services),
    make: makeOf(used, reading),
    year,
    type: toldOf("type", reading, services),
    values: valuesOf(used, offlineUsed ? reading.values : new Map()),
    confidence: confidenceOf({ reading, lead, contradictions, supported }),
    contradictions,
    unsupported: lead.facts !== null && lead.model !== null && !supported,
    ambiguous: services.some(({ ambiguous }) => ambiguous),
  };
}

/** Whether a service can be right: in codes of North America position 10 binds. */
function isPossible({ year }: ServiceFacts, { checkDigit, years }: OfflineReading): boolean {
  return !checkDigit.required || year === null || years.includes(year);
}

/** Whether a source says what the VIN itself speaks against: its maker's code, or a year that only one thing can be. */
function gainsaysVin({ facts, make, year }: Candidate, reading: OfflineReading): boolean {
  if (facts === null) return false;
  const { makes, confirmed, yearIsSure } = reading;
  if (make !== null && makes.length > 0 && !makes.some((known) => isSameMake(known, make)))
    return true;
  return confirmed && yearIsSure && year !== null && year !== reading.year;
}

function offlineCandidate(reading: OfflineReading): Candidate {
  const text = (element: number) => reading.values.get(element)?.text ?? null;
  return {
    source: "offline",
    make: reading.make,
    model: text(ELEMENT.model),
    year: reading.year,
    text,
    sure: reading.confidence === "high",
    facts: null,
  };
}

function candidateOf(facts: ServiceFacts): Candidate {
  const text = (element: number) => facts.values.get(element) ?? null;
  const { service, make, model, year, sure } = facts;
  return { source: service, make, model, year, text, sure, facts };
}

/**
 * Whose word counts: our own data where it is sure, so that nobody makes a good answer worse; else who is sure, else
 * who names a model, a make; and of equals the first in order. Who speaks against the VIN itself comes last.
 */
function leadOf(candidates: readonly Candidate[], reading: OfflineReading): Candidate {
  const rank = (one: Candidate) => {
    const { source, sure, model, make, year } = one;
    if (gainsaysVin(one, reading)) return 5;
    if (source === "offline" && sure) return 0;
    if (model === null || make === null) return make === null ? 4 : 3;
    return sure && year !== null ? 1 : 2;
  };
  const [lead] = candidates.toSorted((one, other) => rank(one) - rank(other));
  if (!lead) throw new Error("Our own data is always among them");
  return lead;
}

function contradictionOf(lead: Candidate, other: Candidate, reading: OfflineReading) {
  const difference = differenceOf(lead, other);
  if (difference !== null) return difference;
  // Our data may know to which makes the code belongs, and not to which of them the vehicle does.
  return gainsaysVin(other, reading) ? ("make" as const) : null; // as differenceOf names it
}

/** Whether a source says by itself what the lead says of make and year. */
function supports(one: Candidate, lead: Candidate, reading: OfflineReading): boolean {
  if (one.facts !== null || lead.facts === null)
    return one.make !== null && one.year !== null && one.year === lead.year && lead.make !== null;
  if (!reading.confirmed || !reading.yearIsSure || reading.year !== lead.year) return false;
  return lead.make !== null && reading.makes.some((make) => isSameMake(make, lead.make ?? ""));
}

function confidenceOf(of: {
  reading: OfflineReading;
  lead: Candidate;
  contradictions: CombinedSources["contradictions"];
  supported: boolean;
}): Confidence {
  const { reading, lead, contradictions, supported } = of;
  if (contradictions.length > 0) {
    const grave = contradictions.some(({ about }) => about !== "model");
    return grave && !lead.sure ? "low" : lessThanHigh(lead);
  }
  if (reading.confidence === "high") return "high";
  const whole = lead.make !== null && lead.model !== null && lead.year !== null;
  const yearFits = lead.year !== null && reading.years.includes(lead.year);
  if (whole && lead.sure && supported && reading.checkDigit.right && yearFits) return "high";
  if (reading.confidence === "medium") return "medium";
  return lead.facts === null ? "low" : lessThanHigh(lead);
}

const lessThanHigh = ({ make, model }: Candidate): Confidence =>
  make !== null && model !== null ? "medium" : "low";

const sourceOfYear = (source: VinSource) =>
  source === "offline" ? "VIN: position 10" : SERVICE_TITLE[source];

function toldOf(
  name: "manufacturer" | "type",
  reading: OfflineReading,
  services: readonly ServiceFacts[],
): Told | null {
  const own = reading[name];
  const source = name === "type" ? reading.typeSource : reading.makerSource;
  if (own !== null) return { value: own, source };
  const found = services.find((one) => one[name] !== null);
  const value = found?.[name] ?? null;
  return found && value !== null ? { value, source: SERVICE_TITLE[found.service] } : null;
}

/** In our data's own spelling, where it knows the make. */
function makeOf(used: readonly Candidate[], reading: OfflineReading): Told | null {
  const one = used.find(({ make }) => make !== null);
  if (!one || one.make === null) return null;
  const { make, source } = one;
  if (source === "offline")
    return {
      value: make,
      source: reading.values.get(ELEMENT.make)?.source ?? reading.makerSource,
    };
  const known = reading.makes.find((name) => isSameMake(name, make));
  return { value: known ?? make, source: SERVICE_TITLE[source] };
}

function valuesOf(
  used: readonly Candidate[],
  offline: ReadonlyMap<number, GatheredValue>,
): Map<number, GatheredValue> {
  const values = new Map<number, GatheredValue>();
  const add = (element: number, value: GatheredValue) => {
    if (!values.has(element)) values.set(element, value);
  };
  for (const { facts } of used) {
    if (facts === null) {
      for (const [element, value] of offline) add(element, value);
      continue;
    }
    const source = SERVICE_TITLE[facts.service];
    if (facts.model !== null) add(ELEMENT.model, { text: facts.model, source, positions: 0 });
    for (const [element, text] of facts.values) add(element, { text, source, positions: 0 });
  }
  return values;
}
