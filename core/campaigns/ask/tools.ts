import { z } from "zod";
import type { Json } from "../../jobs/job-type.ts";
import type { Context } from "../../kernel/context.ts";
import { AppError } from "../../kernel/errors.ts";
import { toAnomaliesAnswer } from "../anomaly-answer.ts";
import { toChangeAnswer } from "../change-answer.ts";
import { explainChange, explainChangeInput } from "../explain-change.ts";
import { findAnomalies, findAnomaliesInput } from "../find-anomalies.ts";
import { listBenchmarks, listBenchmarksInput } from "../list-benchmarks.ts";
import { listCampaigns, listCampaignsInput } from "../list-campaigns.ts";
import { toMetricsAnswer } from "../metrics-answer.ts";
import { readMetrics, readMetricsInput } from "../read-metrics.ts";
import { cleanName } from "../words/figures.ts";
import type { Source } from "./source-numbers.ts";

/** Rows of one query: what a model can read and a person can check. */
const MOST_ROWS = 50;
const ROWS = 20;
/** Letters of a result that the model is shown; of longer ones it gets fewer rows. */
const RESULT_LENGTH = 16_000;

const campaignId = z
  .string()
  .max(100)
  .optional()
  .describe("One campaign, by the id that find_campaigns gives; all campaigns without it");

interface AskTool {
  description: string;
  input: z.ZodObject;
  run(context: Context, input: unknown): Promise<unknown>;
}

const defineTool = <Input extends z.ZodObject>(tool: {
  description: string;
  input: Input;
  run(context: Context, input: z.output<Input>): Promise<unknown>;
}): AskTool => ({
  ...tool,
  run: (context, input) => tool.run(context, tool.input.parse(input)),
});

/** What the model can ask: the same verbs that the routes call, which take the team from the principal. Nothing else. */
const TOOLS = {
  campaign_metrics: defineTool({
    description:
      "Impressions, clicks, spend, conversions, revenue, CTR, CPC, CPM, CVR, CPA and ROAS, in all (`totals`) and by groups (`data`). With compare=previous each row has the period before and the relative change.",
    input: readMetricsInput.extend({
      campaign_id: campaignId,
      limit: z.number().int().min(1).max(MOST_ROWS).default(ROWS).describe("The most rows"),
    }),
    run: async (context, { limit, ...input }) =>
      toMetricsAnswer(await readMetrics(context, input, { limit })),
  }),
  campaign_changes: defineTool({
    description:
      "Why CPA, ROAS or another ratio changed against the period before: its change, taken apart by platform and campaign into parts that add up to it.",
    input: explainChangeInput.extend({ campaign_id: campaignId }),
    run: async (context, input) => toChangeAnswer(await explainChange(context, input)),
  }),
  campaign_anomalies: defineTool({
    description: "Days that were unlike those before them, with what would have been usual.",
    input: findAnomaliesInput.extend({ campaign_id: campaignId }),
    run: async (context, input) => toAnomaliesAnswer(await findAnomalies(context, input)),
  }),
  campaign_benchmarks: defineTool({
    description:
      "What others and the team's own campaigns usually reach, each figure with its source and period. Published figures disagree: name the source.",
    input: listBenchmarksInput,
    run: async (context, input) => ({ data: await listBenchmarks(context, input) }),
  }),
  find_campaigns: defineTool({
    description: "Finds campaigns by a part of their name, platform or currency, with their ids.",
    input: listCampaignsInput,
    run: async (context, input) => {
      const { items } = await listCampaigns(context, input, { limit: MOST_ROWS });
      return {
        data: items.map((campaign) => ({
          campaign_id: campaign.id,
          name: campaign.name,
          platform: campaign.platform,
          currency: campaign.currency,
          first_day: campaign.firstDay,
          last_day: campaign.lastDay,
        })),
      };
    },
  }),
} satisfies Record<string, AskTool>;
export type AskToolName = keyof typeof TOOLS;

const isTool = (name: string): name is AskToolName => Object.hasOwn(TOOLS, name);

/** The tools in OpenAI's shape. */
export const toolDefinitions = () =>
  Object.entries(TOOLS).map(([name, { description, input }]) => ({
    type: "function",
    function: { name, description, parameters: z.toJSONSchema(input, { io: "input" }) },
  }));

const jsonObject = z.record(z.string(), z.json());

/**
 * Makes a query, as the model or a suggested question asks for it.
 * @throws AppError `validation_failed` where there is no such tool or its arguments are wrong, and what the verb throws
 */
export async function runTool(
  context: Context,
  id: string,
  name: string,
  given: { [name: string]: Json },
): Promise<Source> {
  if (!isTool(name)) throw wrong(`There is no tool ${JSON.stringify(name.slice(0, 50))}.`);
  const { input, run } = TOOLS[name];
  const args = withLists(given);
  const parsed = input.safeParse(args);
  if (!parsed.success) throw wrong(z.prettifyError(parsed.error));
  const result = await run(context, args);
  return { id, tool: name, arguments: args, result: shortened(withCleanNames(plainJson(result))) };
}

/** Models like to send lists where the API takes values separated by commas, and null for what they leave out. */
function withLists(given: { [name: string]: Json }): { [name: string]: Json } {
  const entries = Object.entries(given).flatMap(([name, value]): [string, Json][] => {
    if (value === null || value === undefined) return [];
    return [[name, Array.isArray(value) ? value.join(",") : value]];
  });
  return Object.fromEntries(entries);
}

/** As it would go over the wire. */
export const plainJson = (value: unknown): Json =>
  jsonObject.parse(JSON.parse(JSON.stringify(value)));

const NAMES = new Set(["campaign", "name", "ad_group", "ad", "channel", "platform"]);

/** Names come from files: on one line, short, and without what could hide. */
export function withCleanNames(value: Json): Json {
  if (Array.isArray(value)) return value.map(withCleanNames);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      typeof item === "string" && NAMES.has(name) ? cleanName(item) : withCleanNames(item),
    ]),
  );
}

/** Fewer rows of each list, until the whole is short enough. What is left out is in no answer's sources either. */
function shortened(value: Json): Json {
  for (let most = MOST_ROWS; most > 1; most = Math.floor(most / 2)) {
    const shorter = cut(value, most);
    if (JSON.stringify(shorter).length <= RESULT_LENGTH) return shorter;
  }
  return cut(value, 1);
}

function cut(value: Json, most: number): Json {
  if (Array.isArray(value)) return value.slice(0, most).map((item) => cut(item, most));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, cut(item, most)]));
}

function wrong(message: string): AppError {
  return new AppError("validation_failed", { message: message.slice(0, 500) });
}
