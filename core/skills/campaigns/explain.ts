import { changeAnswer, toChangeAnswer } from "../../campaigns/change-answer.ts";
import { changeLines } from "../../campaigns/ask/rule-sentences.ts";
import { explainChange, explainChangeInput } from "../../campaigns/explain-change.ts";
import { RATIO_NAMES } from "../../campaigns/metrics/ratios.ts";
import { defineSkill } from "../skill.ts";
import { campaignId, languageOf, paragraphs } from "./shared.ts";

/** `campaigns.explain` */
export const explainCampaignsSkill = defineSkill({
  name: "campaigns.explain",
  title: "What moved CPA or ROAS",
  summary:
    "Says why the CPA, ROAS or another ratio of the team's advertising campaigns changed against the period before: by platform and campaign, in parts that add up to the change exactly. Use it when somebody asks why advertising became dearer or cheaper.",
  input: explainChangeInput.extend({ campaign_id: campaignId }).strict(),
  output: changeAnswer,
  example: { metric: "cpa" },
  readOnly: true,
  async run(context, input) {
    return toChangeAnswer(await explainChange(context, input));
  },
  telegram: {
    command: "why",
    usage: {
      en: `/why [${RATIO_NAMES.join("|")}] – what moved it since the period before`,
      de: `/why [${RATIO_NAMES.join("|")}] – was es seit dem Zeitraum davor bewegt hat`,
      fa: `/why [${RATIO_NAMES.join("|")}] – چه چیزی آن را از دورهٔ پیش جابه‌جا کرد`,
    },
    parse(text) {
      const asked = text.trim().toLowerCase() || "cpa";
      const metric = RATIO_NAMES.find((name) => name === asked);
      return metric === undefined ? null : { metric };
    },
    render: (answer, language) => paragraphs(changeLines(answer, languageOf(language))),
  },
});
