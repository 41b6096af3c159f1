import type { Fields } from "../chat/loose-json.ts";
import type { Logger } from "../kernel/log.ts";
import { within } from "../kernel/within.ts";
import { keptInput } from "./input-items.ts";
import type { ResponsePorts } from "./reach-response.ts";
import type { ResponseName } from "./response-id.ts";

/** For how long an answer waits to be kept, in milliseconds. Then it goes out, and says that it is not kept. */
const PATIENCE_MS = 10_000;

/** Whose response it is, and what it answers. */
export interface ResponseOrigin {
  name: ResponseName;
  previousId: string | null;
  teamId: string;
  endUser: string | null;
  /** The request's own input, without references. */
  input: unknown;
  log: Logger;
}

/**
 * Keeps a response, and says whether it is kept for good. The answer itself has been paid for, so that a failure here
 * must not lose it: nothing is thrown.
 */
export async function keepResponse(
  { openChain }: ResponsePorts,
  { name, previousId, teamId, endUser, input, log }: ResponseOrigin,
  response: Fields,
): Promise<boolean> {
  try {
    const kept = openChain(teamId, name.chain).keep({
      id: name.id,
      previousId,
      endUser,
      input: JSON.stringify(keptInput(input, name.rest)),
      response: JSON.stringify(response),
    });
    await within(PATIENCE_MS, kept);
    return true;
  } catch (error) {
    log.error("response_not_kept", { response_id: name.id, error });
    return false;
  }
}
