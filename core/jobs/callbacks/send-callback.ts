import { addressFault } from "../../kernel/public-address.ts";
import type { CallbackAttempt } from "./callback-attempt.ts";
import type { UnsignedCallback } from "./sign-callback.ts";

/** What delivering callbacks needs of the world. */
export interface CallbackPorts {
  /** The header `webhook-signature`; null where the team has no secret. */
  sign(callback: UnsignedCallback): Promise<string | null>;
  fetch(url: string, init: RequestInit): Promise<Response>;
  /** Has the callbacks of a job looked at again in so many seconds, by a message that may be lost. */
  later(jobId: string, seconds: number): Promise<void>;
  /** Development only: private addresses are fine. */
  allowPrivate: boolean;
  /** The service's name and version, as receivers see it. */
  userAgent: string;
}

/** A receiver has this long, in milliseconds, to take a callback. */
const TIMEOUT_MS = 15_000;
/** What is read of its answer, in bytes; the rest is not waited for. */
const ANSWER_BYTES = 1_000;

/** What came of a try. */
export interface Outcome extends Pick<CallbackAttempt, "status" | "error" | "answer"> {
  /** Whether the receiver has taken it. */
  taken: boolean;
  /** Whether it makes no sense to try again. */
  final: boolean;
  /** Seconds that the receiver asked to be left alone. */
  retryAfter: number | null;
}

/** Sends a callback once. Redirects are not followed: where they lead to has not been judged. Never throws. */
export async function sendCallback(
  ports: CallbackPorts,
  callback: UnsignedCallback & { url: string },
): Promise<Outcome> {
  const fault = addressFault(callback.url, ports);
  if (fault !== null) return failure(`The address ${fault.message}`, { final: true });
  try {
    const signature = await ports.sign(callback);
    if (signature === null)
      return failure("The team has no secret to sign with. Make one, and send it again.");
    const response = await ports.fetch(callback.url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "user-agent": ports.userAgent,
        "webhook-id": callback.id,
        "webhook-timestamp": String(Math.floor(callback.at / 1000)),
        "webhook-signature": signature,
      },
      body: callback.payload,
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return await outcomeOf(response);
  } catch (error) {
    return failure(sentenceOf(error));
  }
}

async function outcomeOf(response: Response): Promise<Outcome> {
  const { status } = response;
  const taken = status >= 200 && status < 300;
  // A receiver that has answered has answered, whatever becomes of the rest of it.
  const answer = await beginningOf(response).catch(() => "");
  const redirect = status >= 300 && status < 400;
  const reason = redirect ? "which redirects, and that is not followed" : "not 2xx";
  return {
    status,
    taken,
    error: taken ? null : `The receiver answered ${status}, ${reason}.`,
    answer,
    // 410 is how Standard Webhooks lets a receiver say that it wants no more.
    final: status === 410,
    retryAfter: secondsOf(response.headers.get("retry-after")),
  };
}

function failure(error: string, { final = false } = {}): Outcome {
  return { status: null, taken: false, error, answer: "", final, retryAfter: null };
}

/** What the team may know of it: nothing of our own insides. */
function sentenceOf(error: unknown): string {
  const timedOut = error instanceof Error && error.name === "TimeoutError";
  return timedOut
    ? `The receiver did not answer within ${TIMEOUT_MS / 1000} seconds.`
    : "The receiver could not be reached.";
}

function secondsOf(retryAfter: string | null): number | null {
  return retryAfter !== null && /^\d{1,9}$/.test(retryAfter.trim()) ? Number(retryAfter) : null;
}

async function beginningOf({ body }: Response): Promise<string> {
  if (!body) return "";
  const reader = body.getReader();
  const pieces: Uint8Array[] = [];
  let length = 0;
  while (length < ANSWER_BYTES) {
    const { done, value } = await reader.read();
    if (done) break;
    pieces.push(value.subarray(0, ANSWER_BYTES - length));
    length += value.length;
  }
  await reader.cancel();
  const decoder = new TextDecoder();
  const text = pieces.map((piece) => decoder.decode(piece, { stream: true })).join("");
  return (text + decoder.decode()).replaceAll("\u0000", "").toWellFormed();
}
