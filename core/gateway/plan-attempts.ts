import type { ModelRoute, Route } from "../providers/catalog.ts";

/** What is known of a target when an attempt is planned. */
export interface TargetStanding {
  /** Its circuit is open, and no probe is due: it is asked only when nobody else is left. */
  open: boolean;
  /** How long it takes to begin an answer, estimated, in milliseconds; null where nobody knows. */
  latencyMs: number | null;
}

export interface PlanInput {
  route: ModelRoute;
  standing(target: Route): TargetStanding;
  /** From 0 up to 1, as Math.random. */
  random(): number;
}

/**
 * In which order the targets of a model are asked: by its strategy, and those with an open circuit behind all others.
 * It only plans; what becomes of the attempts is `attemptTargets`'s.
 */
export function planAttempts(input: PlanInput): readonly Route[] {
  const { targets } = input.route;
  if (targets.length === 1) return targets;
  const ordered = byStrategy(input);
  const open = ordered.filter((target) => input.standing(target).open);
  if (open.length === 0 || open.length === ordered.length) return ordered;
  return [...ordered.filter((target) => !open.includes(target)), ...open];
}

function byStrategy({ route, standing, random }: PlanInput): readonly Route[] {
  switch (route.strategy) {
    case "ordered":
      return route.targets;
    case "weighted":
      return byWeight(route.targets, random);
    case "latency":
      return byLatency(route.targets, standing, random);
    case "cost":
      return [...route.targets].sort((a, b) => priceOf(a) - priceOf(b));
  }
}

/** Each place is drawn among those left, by weight. */
function byWeight(targets: readonly Route[], random: () => number): Route[] {
  const left = [...targets];
  const drawn: Route[] = [];
  while (left.length > 0) {
    let at = random() * left.reduce((sum, { weight }) => sum + weight, 0);
    const index = left.findIndex(({ weight }) => (at -= weight) < 0);
    drawn.push(...left.splice(Math.max(0, index), 1));
  }
  return drawn;
}

/**
 * The faster of two targets taken by chance comes first, then the others by their latency. Two by chance spread the
 * load, where the fastest of all would get all of it (Mitzenmacher, The Power of Two Choices). A target that nobody
 * has tried yet counts as fast, so that it is.
 */
function byLatency(
  targets: readonly Route[],
  standing: PlanInput["standing"],
  random: () => number,
): Route[] {
  const speed = (target: Route) => standing(target).latencyMs ?? 0;
  const healthy = targets.filter((target) => !standing(target).open);
  const pool = healthy.length > 0 ? healthy : targets;
  const one = Math.floor(random() * pool.length);
  const other = (one + 1 + Math.floor(random() * (pool.length - 1))) % pool.length;
  const pair = [pool[one], pool[other]].filter((target) => target !== undefined);
  const [first] = pair.sort((a, b) => speed(a) - speed(b));
  const rest = targets.filter((target) => target !== first).sort((a, b) => speed(a) - speed(b));
  return first ? [first, ...rest] : rest;
}

/** Of an ordinary request, which has three times as much input as output. */
const priceOf = ({ prices }: Route) =>
  3 * prices.inputPerMillionMicros + prices.outputPerMillionMicros;
