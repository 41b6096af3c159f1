import { boundedText } from "../../kernel/bounded-text.ts";
import type { ServiceFailure, ServiceReach } from "./service-facts.ts";

/** The longest that a service is waited for, its whole answer included, in milliseconds. */
const TIMEOUT_MS = 3_000;

interface ServiceRequest {
  url: string;
  init: RequestInit;
  /** The most bytes that an answer may have. */
  limit: number;
}

/** The answer's JSON; `nothing` for a status that says that the vehicle is not known. Failure is a value here. */
type ServiceJson = { json: unknown } | { nothing: true } | ServiceFailure;

/** An answer that is none of the service as we know it. */
export const OTHER_FORM: ServiceFailure = {
  message: "its answer has another form",
  timedOut: false,
  retryAfterMs: 0,
};

/** 400: the service thinks it no VIN; 404: it knows none. */
const NOTHING = new Set([400, 404]);

/**
 * Asks a service, and takes nothing that is late, long, elsewhere or no JSON. Redirects are not followed: where they
 * lead has not been judged, and they would take the key along.
 */
export async function fetchServiceJson(
  reach: ServiceReach,
  { url, init, limit }: ServiceRequest,
): Promise<ServiceJson> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const response = await reach.fetch(url, { ...init, redirect: "manual", signal });
    if (response.status !== 200) {
      const retryAfterMs = retryAfterOf(response);
      await response.body?.cancel();
      return NOTHING.has(response.status)
        ? { nothing: true }
        : { message: `it answered ${response.status}`, timedOut: false, retryAfterMs };
    }
    const text = await boundedText(response, limit);
    if (text === null)
      return {
        message: `it answered with more than ${limit} bytes`,
        timedOut: false,
        retryAfterMs: 0,
      };
    return { json: JSON.parse(text) };
  } catch (error) {
    // The errors' own words are not told: those of JSON.parse quote the answer, others may name the address.
    const message = signal.aborted
      ? `no answer within ${TIMEOUT_MS} ms`
      : error instanceof SyntaxError
        ? "it answered no JSON"
        : "it cannot be reached";
    return { message, timedOut: signal.aborted, retryAfterMs: 0 };
  }
}

function retryAfterOf(response: Response): number {
  const seconds = Number(response.headers.get("retry-after") ?? "");
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : 0;
}
