import { answerVins, type VinAnswer } from "./answer-vins.ts";
import { MOST_AT_ONCE } from "./files/vin-reader.ts";
import { rowOf, type VinRow } from "./files/vin-columns.ts";
import { bestCorrections, inspectVin, type PlausibleVin } from "./inspect-vin.ts";
import { oneFileAtATime } from "./one-file-at-a-time.ts";
import { orderCorrections } from "./order-corrections.ts";
import type { VinPorts } from "./vin-ports.ts";
import { isEnough } from "./vin-wish.ts";

/**
 * What the VINs of a file say, a row each, in their order.
 * @throws RangeError for more than MOST_AT_ONCE
 */
export async function readVinRows(
  ports: VinPorts,
  texts: readonly string[],
  now: Date,
): Promise<VinRow[]> {
  if (texts.length > MOST_AT_ONCE) throw new RangeError(`At most ${MOST_AT_ONCE} VINs at once`);
  const inspected = texts.map(inspectVin);
  const answers = await answerMany(
    ports,
    inspected.filter((one) => one.valid),
    now,
  );
  const makerFile = oneFileAtATime(ports);
  const rows: VinRow[] = [];
  for (const one of inspected) {
    if (one.valid) {
      const answer = answers.get(one.vin);
      if (!answer) throw new Error("Every VIN that was given gets an answer");
      rows.push(rowOf(answer));
    } else {
      const ordered = await orderCorrections(one, { makerFile }, now);
      rows.push(rowOf({ wrong: { ...one, corrections: bestCorrections(ordered) } }));
    }
  }
  return rows;
}

const NOT_KEPT: VinPorts["kept"] = {
  get: () => Promise.resolve(null),
  set: () => Promise.resolve(),
};

/**
 * As answerVins, for many: our own data is faster than the shared cache is asked for each, so kept reports are for what
 * a service would have to be asked about.
 */
async function answerMany(
  ports: VinPorts,
  vins: readonly PlausibleVin[],
  now: Date,
): Promise<Map<string, VinAnswer>> {
  const [first, ...services] = ports.order;
  if (first !== "offline") return answerVins(ports, vins, { wish: {}, now });
  const own = { ...ports, kept: NOT_KEPT };
  const quick = await answerVins(own, vins, { wish: { decoder: "offline" }, now });
  const open = vins.filter(({ vin }) => {
    const answer = quick.get(vin);
    return answer !== undefined && !isEnough(answer.report, {});
  });
  if (services.length === 0 || open.length === 0) return quick;
  return new Map([...quick, ...(await answerVins(ports, open, { wish: {}, now }))]);
}
