import { z } from "zod";
import type { Context } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";
import { requireScope } from "../kernel/principal.ts";
import { answerVins, type VinAnswer } from "./answer-vins.ts";
import { bestCorrections, inspectVin, type WrongVin } from "./inspect-vin.ts";
import { orderCorrections } from "./order-corrections.ts";
import type { VinPorts } from "./vin-ports.ts";
import { vinWish } from "./vin-wish.ts";

export type { VinPorts } from "./vin-ports.ts";

/** No VIN is longer, however it is spaced. */
export const LONGEST_VIN_TEXT = 100;

export const readVinInput = vinWish.extend({ vin: z.string().min(1).max(LONGEST_VIN_TEXT) });

/**
 * What a VIN says: from the reports that are kept for 30 days, else from our own data and the services that are on.
 * Needs the scope `skills`.
 * @throws AppError `missing_scope`; `validation_failed` for a wrong VIN, with corrections
 */
export async function readVin(
  context: Context,
  ports: VinPorts,
  input: z.infer<typeof readVinInput>,
): Promise<VinAnswer> {
  requireScope(context.principal, "skills");
  const { vin: text, ...wish } = readVinInput.parse(input);
  const now = context.now();
  const inspected = inspectVin(text);
  if (!inspected.valid) throw wrongVin(inspected, await orderCorrections(inspected, ports, now));
  const answers = await answerVins(ports, [inspected], { wish, now });
  const answer = answers.get(inspected.vin);
  if (!answer) throw new Error("Every VIN that was given gets an answer");
  return answer;
}

function wrongVin({ faults }: WrongVin, ordered: readonly string[]): AppError {
  const suggestions = bestCorrections(ordered);
  const [first] = suggestions;
  const messages = faults.map(({ message }) => message);
  return new AppError("validation_failed", {
    message: [...messages, ...(first === undefined ? [] : [`Did you mean ${first}?`])].join(" "),
    fields: messages.map((message, at) => ({
      path: "vin",
      message,
      ...(at === 0 && suggestions.length > 0 ? { suggestions } : {}),
    })),
    param: "vin",
  });
}
