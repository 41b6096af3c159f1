import { AppError, type ErrorCode, toAppError } from "../kernel/errors.ts";
import type { ModelRoute, Route } from "../providers/catalog.ts";
import type { AttemptOutcome } from "../providers/circuits/circuit.ts";
import type { GatewayPorts, ModelCall } from "./model-call.ts";
import { retryAfterMs, retryPause } from "./retry-pause.ts";

export interface AttemptRun<T> {
  ports: Pick<GatewayPorts, "now" | "circuits" | "syncCircuits">;
  call: Pick<ModelCall, "clientSignal">;
  /** The targets in the order in which they are asked; at least one. */
  plan: readonly Route[];
  /** Milliseconds since 1970; nothing is begun after it. */
  deadlineAt: number;
  /** Is told of each attempt before it begins; the first has the number 1. */
  begins(route: Route, number: number): void;
  /** @throws AppError where the target gives no good answer */
  attempt(route: Route): Promise<T>;
}

/** A good answer, and who gave it. */
export interface Answered<T> {
  value: T;
  route: Route;
  /** How many attempts it took. */
  number: number;
}

/** When a request must have its whole answer, whatever happens; milliseconds since 1970. */
export function deadlineOf(route: ModelRoute, receivedAt: number): number {
  return receivedAt + Math.max(...route.targets.map(({ patience }) => patience.totalMs));
}

/** The provider's or its operator's fault: another target may do better. */
const NEXT_TARGET: ReadonlySet<ErrorCode> = new Set([
  "provider_error",
  "provider_unreachable",
  "provider_misconfigured",
  "provider_timeout",
  "provider_overloaded",
  "provider_rate_limited",
  "stream_cut",
  "model_not_found",
  "misconfigured",
]);

/**
 * Asks one target after the other, each again after a pause where that may help, until one gives a good answer.
 * @throws AppError what a target says of the client's own request, at once; `client_closed` at once; otherwise the
 *   last failure that a retry may mend, with the soonest `Retry-After` of all
 */
export async function attemptTargets<T>(run: AttemptRun<T>): Promise<Answered<T>> {
  const { plan, ports } = run;
  const { circuits } = ports;
  const failures: AppError[] = [];
  let skipped: Route[] | null = null;
  let number = 0;
  for (let index = 0; index < plan.length + (skipped?.length ?? 0); index++) {
    const route = plan[index] ?? skipped?.[index - plan.length];
    if (!route) break;
    for (let retries = 0; ; retries++) {
      const startedAt = ports.now();
      const pass = circuits.enter(route, startedAt);
      const lastResort = index >= plan.length || plan.length === 1;
      if (pass === "refused" && (retries > 0 || !lastResort)) {
        if (retries === 0) (skipped ??= []).push(route);
        break;
      }
      number++;
      run.begins(route, number);
      try {
        const value = await run.attempt(route);
        const endedAt = ports.now();
        const good = { error: null, latencyMs: endedAt - startedAt, retryAfterMs: 0 };
        if (circuits.leave(route, pass, good, endedAt)) ports.syncCircuits();
        return { value, route, number };
      } catch (thrown) {
        const error = toAppError(thrown);
        if (circuits.leave(route, pass, outcomeOf(error), ports.now())) ports.syncCircuits();
        if (!NEXT_TARGET.has(error.code)) throw error;
        failures.push(error);
        const { maxRetries } = route.patience;
        const leftMs = run.deadlineAt - ports.now();
        if (leftMs <= 0) throw worstOf(failures);
        const others = index < plan.length - 1;
        const again = { error, retries, maxRetries, leftMs, others, random: Math.random };
        const pauseMs = retryPause(again);
        if (pauseMs === null) break;
        await pause(pauseMs, run.call.clientSignal);
      }
    }
  }
  throw worstOf(failures);
}

/** What a failure says about the target: nothing bad where the fault is the client's, nothing at all where it left. */
function outcomeOf(error: AppError): AttemptOutcome {
  const { code } = error;
  const counts = NEXT_TARGET.has(code) || code === "client_closed";
  return { error: counts ? code : null, latencyMs: null, retryAfterMs: retryAfterMs(error) };
}

/** Waits, unless the client hangs up. @throws AppError `client_closed` */
function pause(milliseconds: number, signal: AbortSignal | null): Promise<void> {
  return new Promise((resolve, reject) => {
    const hangUp = () => {
      clearTimeout(timer);
      reject(
        new AppError("client_closed", {
          message: "The client closed the connection.",
          details: { sent: false }, // the provider has nothing of it any more
        }),
      );
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", hangUp);
      resolve();
    }, milliseconds);
    if (signal?.aborted) hangUp();
    else signal?.addEventListener("abort", hangUp, { once: true });
  });
}

/** What the client is told when nobody answered. */
function worstOf(failures: readonly AppError[]): AppError {
  const told = failures.findLast((error) => error.meaning.retry) ?? failures.at(-1);
  if (!told) throw new Error("There was no attempt at all");
  const soonest = Math.min(...failures.map((error) => error.retryAfterSeconds ?? Infinity));
  if (soonest === Infinity || soonest === told.retryAfterSeconds) return told;
  const { code, message, param, details } = told;
  const kept = { ...(param === undefined ? {} : { param }), ...(details ? { details } : {}) };
  return new AppError(code, { message, ...kept, retryAfterSeconds: soonest, cause: told.cause });
}
