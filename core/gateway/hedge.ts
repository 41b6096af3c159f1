import type { ModelRoute, Route } from "../providers/catalog.ts";
import type { TokenCounts } from "./usage-tally.ts";

export interface Hedge<T> {
  /** Milliseconds after which the second attempt begins. */
  afterMs: number;
  first: Route;
  /** The same target again, where there is no other. */
  second: Route;
  /** The client's own; its end is the end of both. */
  clientSignal: AbortSignal | null;
  start(route: Route, signal: AbortSignal): Promise<T>;
}

export interface HedgedAnswer<T> {
  value: T;
  by: Route;
  /** The one that was ended because the other had answered; it may cost something all the same. */
  lost: Route | null;
}

/** How many times a provider may be paid for one request: what its worst case is multiplied by. */
export const copiesOf = (model: ModelRoute, stream: boolean) =>
  model.hedgeAfterMs !== null && !stream ? 2 : 1;

/** What a lost attempt is taken to have cost: its input, and as much output as the other wrote. */
export const lostTokens = (winner: TokenCounts): TokenCounts => ({ ...winner });

/**
 * Sends a slow request a second time; the first good answer wins, and the other call is ended.
 * @throws what failed first, where the first attempt fails before the second begins, or both fail
 */
export function withHedge<T>(hedge: Hedge<T>): Promise<HedgedAnswer<T>> {
  const { afterMs, first, second, clientSignal, start } = hedge;
  return new Promise((resolve, reject) => {
    const running = new Map<AbortController, Route>();
    let firstError: unknown;
    let over = false;
    const run = (route: Route) => {
      const controller = new AbortController();
      running.set(controller, route);
      const signals = clientSignal ? [clientSignal, controller.signal] : [controller.signal];
      start(route, AbortSignal.any(signals)).then(
        (value) => {
          running.delete(controller);
          if (over) return;
          over = true;
          clearTimeout(timer);
          const [lost] = running;
          lost?.[0].abort();
          resolve({ value, by: route, lost: lost?.[1] ?? null });
        },
        (error: unknown) => {
          running.delete(controller);
          firstError ??= error;
          if (over || running.size > 0) return;
          over = true;
          clearTimeout(timer); // what failed at once is for the next attempt, not for a hedge
          reject(firstError);
        },
      );
    };
    const timer = setTimeout(() => run(second), afterMs);
    run(first);
  });
}
