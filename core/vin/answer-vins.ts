import { combineSources } from "./combine-sources.ts";
import { makeReport } from "./decode-vin.ts";
import type { PlausibleVin } from "./inspect-vin.ts";
import { oneFileAtATime } from "./one-file-at-a-time.ts";
import { type OfflineReading, readOffline } from "./read-offline.ts";
import type { ServiceFacts, ServiceName } from "./services/service-facts.ts";
import { type KeptReport, reportKey, type VinPorts } from "./vin-ports.ts";
import type { VinReport } from "./vin-report.ts";
import { isEnough, type VinWish } from "./vin-wish.ts";

/** A report, and whether it was made before. */
export interface VinAnswer {
  report: VinReport;
  cached: boolean;
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** How long reports are kept: good ones; those without a model, which a service may come to know; those of an hour when a service was away. */
const KEPT_MS = { known: 30 * DAY_MS, unknown: DAY_MS, unanswered: 5 * MINUTE_MS };

/** A VIN on its way through the sources. */
interface Draft {
  reading: OfflineReading;
  facts: ServiceFacts[];
  asked: ServiceName[];
  unanswered: ServiceName[];
  report: VinReport;
}

/**
 * Reads VINs: from the reports that are kept, else from our own data, and from services one after the other for those
 * that are not enough by then. A service that fails costs time and a warning, and nothing that our own data knows.
 * @returns the answer of each VIN, by its plain form
 */
export async function answerVins(
  ports: VinPorts,
  vins: readonly PlausibleVin[],
  { wish, now }: { wish: VinWish; now: Date },
): Promise<Map<string, VinAnswer>> {
  const answers = new Map<string, VinAnswer>();
  const services = wish.decoder === "offline" ? [] : servicesOf(ports);
  const distinct = [...new Map(vins.map((one) => [one.vin, one])).values()];
  const missing: PlausibleVin[] = [];
  const look = async (one: PlausibleVin) => {
    const kept = await ports.kept.get(reportKey(ports.order, one.vin));
    if (kept && mayAnswer(kept, services, { wish, now }))
      answers.set(one.vin, { report: kept.report, cached: true });
    else missing.push(one);
  };
  await Promise.all(distinct.map(look));
  if (missing.length === 0) return answers;

  const drafts = await readAllOffline(ports, missing, now);
  await askServices(ports, drafts, { wish, services });
  for (const { report, asked, unanswered } of drafts) {
    answers.set(report.vin, { report, cached: false });
    const kept = { report, asked, until: now.getTime() + keptMs(report, asked, unanswered) };
    ports.background(ports.kept.set(reportKey(ports.order, report.vin), kept));
  }
  return answers;
}

const servicesOf = ({ order }: VinPorts): ServiceName[] =>
  order.filter((source) => source !== "offline");

/** Whether a kept report is as good as a new one would be. */
function mayAnswer(
  { report, asked, until }: KeptReport,
  services: readonly ServiceName[],
  { wish, now }: { wish: VinWish; now: Date },
): boolean {
  if (until <= now.getTime()) return false;
  return isEnough(report, wish) || services.every((service) => asked.includes(service));
}

function keptMs(
  { model }: VinReport,
  asked: readonly ServiceName[],
  unanswered: readonly ServiceName[],
): number {
  if (unanswered.length > 0) return KEPT_MS.unanswered;
  return model === null && asked.length > 0 ? KEPT_MS.unknown : KEPT_MS.known;
}

/** One maker after the other, so that each file is read once and no two are held. */
async function readAllOffline(
  ports: VinPorts,
  vins: readonly PlausibleVin[],
  now: Date,
): Promise<Draft[]> {
  const files = oneFileAtATime(ports);
  const drafts: Draft[] = [];
  for (const one of vins.toSorted((a, b) => (a.vin < b.vin ? -1 : 1))) {
    const reading = readOffline(one, await files(one.vin.slice(0, 3)), now);
    const report = makeReport(reading, combineSources(reading, []));
    drafts.push({ reading, facts: [], asked: [], unanswered: [], report });
  }
  return drafts;
}

/** Services that come before our own data are asked for every VIN; those behind it, for what is not enough by then. */
async function askServices(
  ports: VinPorts,
  drafts: readonly Draft[],
  { wish, services }: { wish: VinWish; services: readonly ServiceName[] },
): Promise<void> {
  const offlineAt = ports.order.indexOf("offline");
  for (const [at, service] of services.entries()) {
    const open = at < offlineAt ? drafts : drafts.filter(({ report }) => !isEnough(report, wish));
    if (open.length === 0) return;
    const answer = await ports.ask(
      service,
      open.map(({ reading }) => reading.vin),
    );
    const unanswered = new Set(answer.unanswered);
    for (const draft of open) {
      const facts = answer.facts.get(draft.reading.vin);
      draft.asked.push(service);
      if (facts) draft.facts.push(facts);
      if (unanswered.has(draft.reading.vin)) draft.unanswered.push(service);
      const before = draft.facts.filter((one) => services.indexOf(one.service) < offlineAt).length;
      const combined = combineSources(draft.reading, draft.facts, before);
      draft.report = makeReport(draft.reading, combined, draft.unanswered);
    }
  }
}
