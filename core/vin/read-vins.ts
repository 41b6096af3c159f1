import { z } from "zod";
import type { Context } from "../kernel/context.ts";
import { requireScope } from "../kernel/principal.ts";
import { answerVins, type VinAnswer } from "./answer-vins.ts";
import { bestCorrections, inspectVin, type WrongVin } from "./inspect-vin.ts";
import { oneFileAtATime } from "./one-file-at-a-time.ts";
import { orderCorrections } from "./order-corrections.ts";
import { LONGEST_VIN_TEXT } from "./read-vin.ts";
import type { VinPorts } from "./vin-ports.ts";
import { vinWish } from "./vin-wish.ts";

/** How many VINs one request reads. */
export const MOST_VINS = 50;

export const readVinsInput = vinWish
  .extend({ vins: z.array(z.string().max(LONGEST_VIN_TEXT)).min(1).max(MOST_VINS) })
  .strict();

/** What became of one VIN of many: among many, a wrong one is nothing unusual. */
export type VinResult = VinAnswer | { wrong: WrongVin };

/**
 * What several VINs say, in their order. Needs the scope `skills`.
 * @throws AppError `missing_scope`
 */
export async function readVins(
  context: Context,
  ports: VinPorts,
  input: z.infer<typeof readVinsInput>,
): Promise<VinResult[]> {
  requireScope(context.principal, "skills");
  const { vins, ...wish } = readVinsInput.parse(input);
  const now = context.now();
  const inspected = vins.map(inspectVin);
  const plausible = inspected.filter((one) => one.valid);
  const answers = await answerVins(ports, plausible, { wish, now });
  const makerFile = oneFileAtATime(ports);
  const results: VinResult[] = [];
  for (const one of inspected) {
    const answer = one.valid ? answers.get(one.vin) : undefined;
    if (answer) results.push(answer);
    else if (!one.valid) {
      const ordered = await orderCorrections(one, { makerFile }, now);
      results.push({ wrong: { ...one, corrections: bestCorrections(ordered) } });
    }
  }
  return results;
}
