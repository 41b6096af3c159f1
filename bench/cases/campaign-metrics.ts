import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { metricTimes } from "../imports/metric-queries.ts";
import type { PartyName } from "../parties/party.ts";
import type { Metrics } from "../rounds.ts";
import type { Bench, BenchCase } from "./case.ts";

const PROCESS = fileURLToPath(new URL("../imports/metrics-process.ts", import.meta.url));
const ADS = 50;

/** How long metrics of a team with millions of facts take, also in the middle of their import. */
export const campaignMetrics: BenchCase = {
  name: "campaign-metrics",
  title: `metrics of ${(200 * 400 * ADS).toLocaleString("en")} facts: 200 campaigns, 400 days, ${ADS} ads`,
  byDefault: false,
  columns: [
    { key: "middle_ms", title: "400 days, in the middle of the import, ms", digits: 0 },
    { key: "days_ms", title: "400 days, ms", digits: 0 },
    { key: "ad_groups_ms", title: "30 days by ad group, ms", digits: 0 },
  ],
  run,
};

async function run({ parties, progress }: Bench): Promise<Map<PartyName, Metrics>> {
  if (!parties.some(({ name }) => name === "switchyard")) return new Map();
  const { stdout } = await promisify(execFile)(process.execPath, [PROCESS, String(ADS)]);
  const times = metricTimes.parse(JSON.parse(stdout.trim().split("\n").at(-1) ?? ""));
  for (const [query, ms] of Object.entries(times)) progress(`${query}: ${ms.toFixed(0)} ms`);
  return new Map([
    [
      "switchyard",
      {
        middle_ms: times["in the middle"] ?? Number.NaN,
        days_ms: times["400 days"] ?? Number.NaN,
        ad_groups_ms: times["30 days by ad group"] ?? Number.NaN,
      },
    ],
  ]);
}
