/** What guard rails did to a request, or to its answer. */
export const RAIL_EVENTS = [
  "input_denied",
  "input_masked",
  "output_denied",
  "output_masked",
] as const;
export type RailEvent = (typeof RAIL_EVENTS)[number];

/** What was done to an answer. */
export interface RailWork {
  /** A text of it stands masked. */
  masked: boolean;
  /** A choice of it ended before its time. */
  denied: boolean;
}

/** What a usage record says of guard rails; undefined where they did nothing. */
export function railEvents(inputMasked: boolean, output: RailWork | null): RailEvent[] | undefined {
  if (!inputMasked && !output?.masked && !output?.denied) return undefined;
  const events: RailEvent[] = [];
  if (inputMasked) events.push("input_masked");
  if (output?.denied) events.push("output_denied");
  if (output?.masked) events.push("output_masked");
  return events;
}
