import { z } from "zod";
import type { Context } from "../kernel/context.ts";
import { requireScope } from "../kernel/principal.ts";
import { decodeVin } from "./decode-vin.ts";
import { bestCorrections, inspectVin, type PlausibleVin, type WrongVin } from "./inspect-vin.ts";
import type { MakerFile } from "./maker-file.ts";
import { orderCorrections } from "./order-corrections.ts";
import { LONGEST_VIN_TEXT, reportKey, type VinPorts } from "./read-vin.ts";
import type { VinReport } from "./vin-report.ts";

/** How many VINs one request reads. */
const MOST_VINS = 50;

export const readVinsInput = z.strictObject({
  vins: z.array(z.string().max(LONGEST_VIN_TEXT)).min(1).max(MOST_VINS),
});

/** What became of one VIN of many: among many, a wrong one is nothing unusual. */
export type VinResult = { report: VinReport; cached: boolean } | { wrong: WrongVin };

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
  const { vins } = readVinsInput.parse(input);
  const now = context.now();
  const files = oneFileAtATime(ports);
  const read = async (inspected: PlausibleVin): Promise<VinResult> => {
    const report = decodeVin(inspected, await files(inspected.vin.slice(0, 3)), now);
    ports.background(ports.kept.set(reportKey(inspected.vin), report));
    return { report, cached: false };
  };
  const correct = async (wrong: WrongVin): Promise<VinResult> => {
    const ordered = await orderCorrections(wrong, { makerFile: files }, now);
    return { wrong: { ...wrong, corrections: bestCorrections(ordered) } };
  };
  const tasks = await Promise.all(
    vins.map(async (text, at) => {
      const inspected = inspectVin(text);
      const kept = inspected.valid ? await ports.kept.get(reportKey(inspected.vin)) : null;
      return { at, inspected, kept };
    }),
  );
  const results = new Map<number, VinResult>();
  // One maker after the other, so that each file is read once and no two are held.
  const byMaker = tasks.toSorted((one, other) =>
    one.inspected.vin < other.inspected.vin ? -1 : 1,
  );
  for (const { at, inspected, kept } of byMaker) {
    if (kept) results.set(at, { report: kept, cached: true });
    else results.set(at, inspected.valid ? await read(inspected) : await correct(inspected));
  }
  return vins.flatMap((_vin, at) => results.get(at) ?? []);
}

/** Files by their code, of which the last one is remembered: they are too large to hold fifty. */
function oneFileAtATime({ makerFile }: VinPorts): VinPorts["makerFile"] {
  let last: { code: string; file: MakerFile | null } | null = null;
  return async (code) => {
    if (last?.code === code) return last.file;
    const file = await makerFile(code);
    last = { code, file };
    return file;
  };
}
