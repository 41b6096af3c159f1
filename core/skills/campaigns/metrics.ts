import { z } from "zod";
import { plainJson, withCleanNames } from "../../campaigns/ask/tools.ts";
import { groupLines, overviewLines } from "../../campaigns/ask/rule-sentences.ts";
import { toMetricsAnswer } from "../../campaigns/metrics-answer.ts";
import { readMetrics, readMetricsInput } from "../../campaigns/read-metrics.ts";
import { defineSkill } from "../skill.ts";
import { campaignId, languageOf, paragraphs } from "./shared.ts";

/** Rows of one use: what a model can read and a chat can show. */
const MOST_ROWS = 50;

const input = readMetricsInput
  .extend({
    campaign_id: campaignId,
    limit: z.number().int().min(1).max(MOST_ROWS).default(10).describe("The most rows"),
  })
  .strict(); // a model that makes up a field is told so; else it would take the answer for one to that

const value = z.union([z.string(), z.number(), z.null()]);
const row = z.record(z.string(), z.union([value, z.record(z.string(), value)]));
const period = z.object({ from: z.string(), to: z.string() });

/** `campaigns.metrics` */
export const campaignMetricsSkill = defineSkill({
  name: "campaigns.metrics",
  title: "Campaign metrics",
  summary:
    "What the team's advertising campaigns cost and brought: impressions, clicks, spend, conversions, revenue, CTR, CPC, CPM, CVR, CPA and ROAS, in all and by day, platform, campaign or ad group, beside the period before. Use it for every question about advertising figures; never guess them.",
  input,
  output: z.object({
    period: period.describe("Both days included"),
    previous_period: period.nullable(),
    totals: z.array(row).describe("The whole selection, once for each currency"),
    data: z.array(row).describe("A row a group and currency; null is no value, not 0"),
    sentences: z.object({ en: z.array(z.string()), fa: z.array(z.string()) }),
  }),
  example: { group_by: "platform", compare: "previous" },
  readOnly: true,
  async run(context, { limit, ...asked }) {
    const answer = toMetricsAnswer(await readMetrics(context, asked, { limit }));
    const isGrouped = asked.group_by.some((name) => name === "campaign" || name === "platform");
    const lines = (language: "en" | "fa") => [
      ...overviewLines(answer, language),
      ...(isGrouped && answer.data.length > 0 ? groupLines(answer, language).slice(1) : []),
    ];
    const rows = (groups: object[]) => z.array(row).parse(groups.map(plainRow));
    return {
      period: answer.period,
      previous_period: answer.previous_period,
      totals: rows(answer.totals),
      data: rows(answer.data),
      sentences: { en: lines("en"), fa: lines("fa") },
    };
  },
  telegram: {
    command: "campaigns",
    usage: {
      en: "/campaigns [NAME] – what campaigns cost and brought",
      de: "/campaigns [NAME] – was Kampagnen kosten und bringen",
      fa: "/campaigns [نام] – کمپین‌ها چه هزینه و چه دستاوردی داشتند",
    },
    parse: (text) => ({
      group_by: text.trim() === "" ? "platform" : "campaign",
      compare: "previous",
      sort: "spend" as const, // one of its names, not any text
      ...(text.trim() === "" ? {} : { search: text.trim().slice(0, 200) }),
    }),
    render: ({ sentences }, language) => paragraphs(sentences[languageOf(language)]),
  },
});

/** A row without the list of benchmarks, which only the route has. */
function plainRow(group: object): unknown {
  const { benchmarks: _benchmarks, ...rest } = z.record(z.string(), z.unknown()).parse(group);
  return withCleanNames(plainJson(rest));
}
