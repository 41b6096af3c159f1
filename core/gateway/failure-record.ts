import { type RailEvent, railEvents } from "../guard-rails/rail-events.ts";
import { type ErrorCode, type AppError, toAppError } from "../kernel/errors.ts";
import { putLimitHeaders } from "../limits/limit-headers.ts";
import { limitName } from "../meter/limit-state.ts";
import type { Route } from "../providers/catalog.ts";
import type { Admission } from "./admission.ts";
import type { GatewayPorts, ModelCall } from "./model-call.ts";
import { putServedHeaders } from "./served-headers.ts";
import { makeUsageRecord, NOTHING } from "./usage-tally.ts";

/** What is known of a request that may fail. */
export interface Attempt {
  ports: GatewayPorts;
  call: ModelCall;
  /** Empty where the request was too malformed to name one. */
  model: string;
  /** Counts what the provider was sent, for requests that were ended after that. */
  estimateInput?: () => number;
}

/** How far a request has come: what its record and its answer say where it fails. */
export interface Progress {
  /** Whom it was sent to last; null while it was sent to nobody. */
  route: Route | null;
  attempts: number;
  /** How its limits let it through. */
  admission: Admission | null;
  /** Guard rails have masked some of it. */
  inputMasked: boolean;
  /** Is told of each attempt before it begins; the first has the number 1. */
  begins(route: Route, number: number): void;
}

function newProgress(inputMasked: boolean): Progress {
  const progress: Progress = {
    route: null,
    attempts: 0,
    admission: null,
    inputMasked,
    begins(route, number) {
      progress.route = route;
      progress.attempts = number;
    },
  };
  return progress;
}

const INPUT_DENIED: RailEvent[] = ["input_denied"];

/** Requests that a provider had received, and may charge for, when they ended. */
const SENT: ReadonlySet<ErrorCode> = new Set(["client_closed", "provider_timeout"]);

/**
 * Runs the work; what it throws becomes the request's usage record, and goes on. Its answer says whom the request was
 * sent to, and what its limits leave, as an answer that succeeds does.
 */
export async function withFailureRecord<T>(
  { ports, call, model, estimateInput }: Attempt,
  work: (progress: Progress) => Promise<T>,
): Promise<T> {
  const progress = newProgress(call.inputMasked === true);
  try {
    return await work(progress);
  } catch (thrown) {
    const error = toAppError(thrown);
    const { route, attempts } = progress;
    const sent = route !== null && SENT.has(error.code) && error.details?.["sent"] !== false;
    const denied = error.code === "content_filter"; // no provider's error becomes that
    const input = sent ? (estimateInput?.() ?? 0) : 0;
    const outcome = {
      ...NOTHING,
      status: error.meaning.status,
      errorCode: error.code,
      tokens: { input, output: 0 },
      estimated: input > 0,
      attempt: Math.max(1, attempts),
      guardRails: denied ? INPUT_DENIED : railEvents(progress.inputMasked, null),
      refusedBy: error.limit && limitName(error.limit.state),
    };
    ports.report(makeUsageRecord(call, model, route, outcome, ports.now()));
    tellProgress(error, progress, ports.now());
    throw error;
  }
}

function tellProgress(error: AppError, progress: Progress, now: number): void {
  const { route, attempts, admission } = progress;
  const headers: Record<string, string> = {};
  const put = (name: string, value: string) => {
    headers[name] = value;
  };
  if (route) putServedHeaders({ provider: route.provider, attempts }, put);
  if (admission) putLimitHeaders(admission.states(), now, put);
  error.addHeaders(headers);
}
