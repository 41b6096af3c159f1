/** Figures of one round or one case, by their name in the JSON. */
export type Metrics = Record<string, number>;

export type Turns<Subject> = {
  subjects: readonly Subject[];
  rounds: number;
  /** Round 0 is the one that warms up. */
  measure: (subject: Subject, round: number) => Promise<Metrics>;
  /** Called after each turn, before the next one starts. */
  afterTurn?: (subject: Subject, round: number, metrics: Metrics) => Promise<void>;
};

/**
 * Lets all subjects take turns, in an order that rotates from round to round, so that noise on the
 * machine and what one leaves behind for the next hit all alike. The first round only warms up and
 * is not counted. Returns the median over the rounds, figure by figure.
 */
export async function takeTurns<Subject>(turns: Turns<Subject>): Promise<Map<Subject, Metrics>> {
  const { subjects, rounds, measure, afterTurn } = turns;
  const counted = new Map<Subject, Metrics[]>(subjects.map((subject) => [subject, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const subject of rotate(subjects, round)) {
      // One at a time is the point: the parties must never load the machine together.
      const metrics = await measure(subject, round);
      await afterTurn?.(subject, round, metrics);
      if (round > 0) counted.get(subject)?.push(metrics);
    }
  }
  return new Map([...counted].map(([subject, all]) => [subject, medians(all)]));
}

function rotate<Item>(items: readonly Item[], by: number): Item[] {
  const at = by % items.length;
  return [...items.slice(at), ...items.slice(0, at)];
}

function medians(rounds: readonly Metrics[]): Metrics {
  const names = Object.keys(rounds[0] ?? {});
  return Object.fromEntries(
    names.map((name) => [name, median(rounds.map((metrics) => metrics[name] ?? Number.NaN))]),
  );
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (
    ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2
  );
}
