import { AppError } from "#core/kernel/errors.ts";
import type { OpenResponseChain, ResponseChainStore } from "#core/responses/response-store.ts";
import type { ResponseChain } from "./durable-objects/response-chain.ts";

/** A call is tried this often; every one of them may be repeated without harm. */
const ATTEMPTS = 3;
const PAUSE_MS = 100;

/** Kept responses as a Worker sees them. A call that does not get through is repeated. */
export function createResponseClient(
  namespace: DurableObjectNamespace<ResponseChain>,
): OpenResponseChain {
  return (teamId, chain) => {
    const call = async <T>(work: (store: ResponseChainStore) => Promise<T>): Promise<T> => {
      for (let attempt = 1; ; attempt++) {
        try {
          // A stub that has failed stays broken, so each attempt takes a new one.
          return await work(namespace.get(namespace.idFromName(`${teamId}/${chain}`)));
        } catch (cause) {
          if (attempt >= ATTEMPTS) throw outOfReach(cause);
          await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * attempt));
        }
      }
    };
    return {
      keep: (response) => call((store) => store.keep(response)),
      read: (id, endUser) => call((store) => store.read(id, endUser)),
      chain: (id, endUser) => call((store) => store.chain(id, endUser)),
      erase: (id, endUser) => call((store) => store.erase(id, endUser)),
    };
  };
}

function outOfReach(cause: unknown): AppError {
  return new AppError("unavailable", {
    message: "Kept responses cannot be reached right now. Try again in a moment.",
    retryAfterSeconds: 1,
    cause,
  });
}
