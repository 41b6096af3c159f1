import type { SecretBox } from "#core/kernel/context.ts";
import type { Logger } from "#core/kernel/log.ts";
import { newId } from "#core/kernel/ids.ts";
import type {
  AnswerStore,
  Flight,
  FlightTurn,
  StoredAnswer,
} from "#core/response-cache/answer-store.ts";
import type { Cache } from "./cache.ts";
import type { AnswerFlight } from "./durable-objects/answer-flight.ts";

/** The longest that a request waits for the cache, or for word from the flight, in milliseconds. */
export const ANSWER_TIMEOUT_MS = 300;
/** Grace beyond the time that the flight itself lets a request wait. */
const WAIT_GRACE_MS = 1_000;

export interface AnswerStoreParts {
  /** With a time-out of a few hundred milliseconds. */
  quickCache: Cache;
  /** Writes happen after the answer, and may take longer. */
  cache: Cache;
  secrets: SecretBox;
  flights: DurableObjectNamespace<AnswerFlight>;
  log: Logger;
}

/**
 * Answers in the cache, sealed under MASTER_KEY with their own key bound in: what a model told a team is not to be read
 * by whoever can look into the cache, and no answer opens in another one's place.
 */
export function createAnswerStore(parts: AnswerStoreParts): AnswerStore {
  const { quickCache, cache, secrets, flights, log } = parts;
  const nameOf = (key: string) => `answer:${key}`;
  return {
    async read(key) {
      const sealed = await quickCache.get<string>(nameOf(key));
      if (typeof sealed !== "string") return null;
      try {
        return JSON.parse(await secrets.open(sealed, nameOf(key))) as StoredAnswer; // sealed by `write`, which nobody else can
      } catch (error) {
        log.warn("cached_answer_unreadable", { error });
        return null;
      }
    },
    async write(key, answer, seconds) {
      const sealed = await secrets.seal(JSON.stringify(answer), nameOf(key));
      await cache.set(nameOf(key), sealed, seconds);
    },
    flight: (key) => openFlight(flights, key, log),
  };
}

function openFlight(
  flights: DurableObjectNamespace<AnswerFlight>,
  key: string,
  log: Logger,
): Flight {
  const token = newId("request");
  const call = async <T>(
    work: (flight: DurableObjectStub<AnswerFlight>) => Promise<T>,
    timeoutMs: number,
    otherwise: T,
  ): Promise<T> => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<T>((resolve) => {
      timer = setTimeout(() => resolve(otherwise), timeoutMs);
    });
    try {
      return await Promise.race([work(flights.get(flights.idFromName(key))), late]);
    } catch (error) {
      log.warn("answer_flight_failed", { error });
      return otherwise;
    } finally {
      clearTimeout(timer);
    }
  };
  const alone: FlightTurn = { state: "alone" };
  return {
    join: () => call<FlightTurn>((flight) => flight.join(token), ANSWER_TIMEOUT_MS, alone),
    wait: (waitMs) =>
      call<FlightTurn>((flight) => flight.wait(token, waitMs), waitMs + WAIT_GRACE_MS, alone),
    renew: () => call<void>((flight) => flight.renew(token), WAIT_GRACE_MS, undefined),
    finish: (result) =>
      call<void>((flight) => flight.finish(token, result), WAIT_GRACE_MS, undefined),
  };
}
