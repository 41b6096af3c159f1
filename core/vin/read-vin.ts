import { z } from "zod";
import type { Context } from "../kernel/context.ts";
import { AppError } from "../kernel/errors.ts";
import { requireScope } from "../kernel/principal.ts";
import { decodeVin } from "./decode-vin.ts";
import { bestCorrections, inspectVin, type WrongVin } from "./inspect-vin.ts";
import type { MakerFile } from "./maker-file.ts";
import { orderCorrections } from "./order-corrections.ts";
import { VIN_DATA_VERSION } from "./vin-data.ts";
import type { VinReport } from "./vin-report.ts";

/** What reading a VIN needs. */
export interface VinPorts {
  /** The file of a maker code, by its first three characters; null where there is none. */
  makerFile(code: string): Promise<MakerFile | null>;
  /** Reports that were made before; what is not there is null, and nothing throws. */
  kept: {
    get(key: string): Promise<VinReport | null>;
    set(key: string, report: VinReport): Promise<void>;
  };
  background(work: Promise<unknown>): void;
}

/** No VIN is longer, however it is spaced. */
export const LONGEST_VIN_TEXT = 100;

export const readVinInput = z.object({ vin: z.string().min(1).max(LONGEST_VIN_TEXT) });

/** The form of the reports that are kept; another number for each change of it. */
const REPORT_FORMAT = 1;

/** Where the report of a VIN is kept. @param vin in its plain form */
export const reportKey = (vin: string) => `vin:${REPORT_FORMAT}:${VIN_DATA_VERSION}:${vin}`;

/**
 * What a VIN says: from the reports that are kept for 30 days, else from the offline data. Needs the scope `skills`.
 * @throws AppError `missing_scope`; `validation_failed` for a wrong VIN, with corrections
 */
export async function readVin(
  context: Context,
  ports: VinPorts,
  input: z.infer<typeof readVinInput>,
): Promise<{ report: VinReport; cached: boolean }> {
  requireScope(context.principal, "skills");
  const inspected = inspectVin(readVinInput.parse(input).vin);
  if (!inspected.valid)
    throw wrongVin(inspected, await orderCorrections(inspected, ports, context.now()));
  const key = reportKey(inspected.vin);
  const kept = await ports.kept.get(key);
  if (kept) return { report: kept, cached: true };
  const file = await ports.makerFile(inspected.vin.slice(0, 3));
  const report = decodeVin(inspected, file, context.now());
  ports.background(ports.kept.set(key, report));
  return { report, cached: false };
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
