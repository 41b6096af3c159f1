import { toAppError } from "#core/kernel/errors.ts";
import type { Messages } from "../locales/index.ts";
import { SwitchyardProblem } from "../switchyard/switchyard-api.ts";

/** What went wrong in one sentence of the user's language, with the request id to tell whoever can look it up. */
export function problemText(say: Messages, thrown: unknown, requestId: string): string {
  const known = thrown instanceof SwitchyardProblem ? thrown : null;
  const code = known?.code ?? toAppError(thrown).code;
  return `${say.errors[code]}\n${say.requestId({ id: known?.requestId ?? requestId })}`;
}
