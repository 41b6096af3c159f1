import { expect } from "vitest";
import { calls, inTurn, says } from "#test/campaigns/scripted-model.ts";
import type { ApiClient } from "#test/harness/api-client.ts";
import type { FaultProvider } from "#test/providers/fault-provider.ts";

export const HONDA = "1HGCM82633A004352";
const PERIOD = { from: "2026-11-08", to: "2026-11-14" };
const QUERY = { ...PERIOD, group_by: "campaign", compare: "previous" };
const QUESTION = "How many clicks did Brand have?";
/** The model that `campaigns.ask` asks. */
export const ANALYST = "analyst";

/** Two weeks of two campaigns, of which one became dearer in the second week. */
export const CAMPAIGN_FILE = [
  "Date,Platform,Campaign,Impressions,Clicks,Cost,Conversions,Revenue,Currency",
  ...Array.from({ length: 14 }, (_, index) => {
    const day = `2026-11-${String(index + 1).padStart(2, "0")}`;
    const clicks = index < 7 ? 100 : 150;
    const cost = index < 7 ? 40 : 50;
    return [
      `${day},Google Ads,Brand 2026,5000,${clicks},${cost},5,100,USD`,
      `${day},Meta,Spring_sale*,5000,100,10,5,10,USD`,
    ].join("\n");
  }),
].join("\n");

interface Metrics {
  clicks: unknown;
  spend: unknown;
  cpa: unknown;
}

/** One skill with an input, and what it has to answer wherever it is used. */
export interface SkillCase {
  skill: string;
  input: Record<string, unknown>;
  /** Of its answer, or of its job's result. */
  answers: Record<string, unknown>;
  /** What a route of its own answers, as far as that is in the skill's answer too; left out where there is none. */
  friendly?: (client: ApiClient) => Promise<Record<string, unknown>>;
  /** Whether that route counts as a use of the skill. */
  friendlyIsUse?: boolean;
  command: string;
  /** What is shown in Telegram for the command, or stands with the file. */
  shows: RegExp;
  /** The job type of a skill that is a job, with how such a job's input is written. */
  job?: { type: string; input: Record<string, unknown> };
  /** The file of such a job, by its name and its first bytes. */
  file?: { name: RegExp; begins: string };
}

export const SKILL_CASES: readonly SkillCase[] = [
  {
    skill: "vin.decode",
    input: { vin: HONDA },
    answers: { make: "Honda", model: "Accord", year: 2003, confidence: "high" },
    async friendly(client) {
      const { cached: _, ...vin } = await client.expect(200, "GET", `/v1/vin/${HONDA}`);
      return vin;
    },
    friendlyIsUse: true,
    command: `/vin ${HONDA}`,
    shows: /^2003 Honda Accord EX-V6\n1HGCM82633A004352\n/,
  },
  {
    skill: "campaigns.metrics",
    input: { ...PERIOD, group_by: "platform", compare: "previous", sort: "spend" },
    answers: {
      period: PERIOD,
      previous_period: { from: "2026-11-01", to: "2026-11-07" },
      totals: [expect.objectContaining({ currency: "USD", clicks: 1_750, spend: "420.00" })],
    },
    async friendly(client) {
      const query = new URLSearchParams({ ...PERIOD, group_by: "platform", compare: "previous" });
      const path = `/v1/campaigns/metrics?${query.toString()}&sort=spend`;
      const { period, totals } = await client.expect<{ period: object; totals: Metrics[] }>(
        200,
        "GET",
        path,
      );
      return { period, totals: totals.map(({ clicks, spend, cpa }) => ({ clicks, spend, cpa })) };
    },
    command: "/campaigns Brand",
    shows: /Brand 2026/,
  },
  {
    skill: "campaigns.explain",
    input: { metric: "cpa", ...PERIOD },
    answers: {
      period: PERIOD,
      changes: [expect.objectContaining({ currency: "USD", metric: "cpa" })],
    },
    friendly(client) {
      const query = new URLSearchParams({ metric: "cpa", ...PERIOD });
      return client.expect(200, "GET", `/v1/campaigns/changes?${query.toString()}`);
    },
    command: "/why cpa",
    shows: /CPA/,
  },
  {
    skill: "campaigns.ask",
    input: { question: QUESTION, language: "en", model: ANALYST },
    answers: {
      answered_by: "model",
      flagged: true,
      answer: "Brand 2026 had 1,050 clicks, and brought […].",
      removed: [expect.objectContaining({ text: "9,999" })],
      sources: [expect.objectContaining({ tool: "campaign_metrics" })],
    },
    async friendly(client) {
      const asked = { question: QUESTION, language: "en", model: ANALYST };
      const { answer, removed } = await client.expect(200, "POST", "/v1/campaigns/ask", asked);
      return { answer, removed };
    },
    friendlyIsUse: true,
    command: `/ask ${QUESTION}`,
    shows: /Brand 2026 had 1,050 clicks, and brought \[…\]\./,
  },
  {
    skill: "campaigns.report",
    input: { format: "excel", ...PERIOD, title: "Two weeks" },
    answers: { title: "Two weeks", period: PERIOD, language: "en", sent_to_telegram: null },
    command: "/report excel 7",
    shows: /Campaign report/i,
    job: {
      type: "generate_excel_report",
      input: { ...PERIOD, title: "Two weeks" },
    },
    file: { name: /\.xlsx$/, begins: "PK" },
  },
];

/** Lets a model answer questions about campaigns from now on: by one query, and with one number that it made up. */
export function scriptAnalyst(provider: FaultProvider, model: string): void {
  const before = provider.requestsFor(model).length;
  const query = calls(["campaign_metrics", QUERY]);
  const answer = says("Brand 2026 had 1,050 clicks, and brought 9,999.");
  provider.script(model, (earlier) => inTurn(query, answer)((earlier - before) % 2));
}
