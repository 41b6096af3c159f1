import { z } from "zod";
import { askCampaigns, askCampaignsInput } from "../../campaigns/ask-campaigns.ts";
import { suggestedQuestion } from "../../campaigns/ask-answer.ts";
import { defineSkill } from "../skill.ts";
import { paragraphs } from "./shared.ts";

/** Several rounds with a model, each with queries between. */
const TIMEOUT_MS = 120_000;

/** `campaigns.ask` */
export const askCampaignsSkill = defineSkill({
  name: "campaigns.ask",
  title: "Ask about campaigns",
  summary:
    "Answers a question about the team's advertising campaigns in words. Each number of the answer is traced to a query, and one that cannot be is removed. Use it for questions that take several figures or a comparison.",
  input: askCampaignsInput,
  output: z.object({
    answer: z.string().describe("[…] stands where a number was removed"),
    answered_by: z.enum(["model", "rules", "none"]),
    flagged: z.boolean().describe("Whether a number was removed, since no query gave it"),
    removed: z.array(z.object({ text: z.string(), context: z.string() })),
    numbers: z
      .array(z.object({ text: z.string(), source: z.string(), from: z.string() }))
      .describe("Each number, and where in the sources it comes from"),
    sources: z
      .array(z.object({ id: z.string(), tool: z.string(), arguments: z.string() }))
      .describe("The queries; POST /v1/campaigns/ask gives them with their results"),
    suggested_questions: z.array(suggestedQuestion),
  }),
  example: { question: "Why did the CPA change?" },
  readOnly: true,
  timeoutMs: TIMEOUT_MS,
  async run(context, input) {
    const { ports, call } = context.ports.campaigns();
    const asked = { ...call, clientSignal: context.signal };
    const answer = await askCampaigns(context, ports, asked, input);
    return {
      answer: answer.text,
      answered_by: answer.answeredBy,
      flagged: answer.removed.length > 0,
      removed: answer.removed,
      numbers: answer.numbers,
      sources: answer.sources.map(({ id, tool, arguments: args }) => ({
        id,
        tool,
        arguments: JSON.stringify(args),
      })),
      suggested_questions: answer.suggestions,
    };
  },
  telegram: {
    command: "ask",
    usage: {
      en: "/ask QUESTION – answers from your campaigns' figures",
      de: "/ask FRAGE – antwortet aus den Zahlen der Kampagnen",
      fa: "/ask پرسش – از ارقام کمپین‌ها پاسخ می‌دهد",
    },
    parse: (text) => (text.trim() === "" ? null : { question: text.trim().slice(0, 2_000) }),
    render: (output) =>
      paragraphs([
        output.answer,
        ...output.suggested_questions.map(({ question }) => `/ask ${question}`),
      ]),
  },
});
