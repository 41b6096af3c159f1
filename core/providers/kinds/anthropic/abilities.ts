/** What a model of Anthropic's takes, as far as the Messages API refuses the request otherwise. */
export interface Abilities {
  /** A budget of tokens to think with; newer models refuse it, and take an effort. */
  budget: boolean;
  /** Whether it can be told not to think at all. */
  mayStopThinking: boolean;
  /** `temperature`, `top_p` and `top_k`: both at once, one of them, or none. */
  sampling: "both" | "one" | "none";
}

/** What follows the generation in a model's name, with us, at Google and at Amazon. */
const END = String.raw`(?:$|-20\d{6}|@|-latest|-v\d)`;
const before46 = new RegExp(`claude-3|claude-(?:opus|sonnet|haiku)-4(?:-[0-5])?${END}`);
const four6 = new RegExp(`claude-(?:opus|sonnet|haiku)-4-6${END}`);
const before41 = new RegExp(`claude-3|claude-(?:opus|sonnet|haiku)-4(?:-0)?${END}`);
const upTo5 = new RegExp(`claude-3|claude-(?:opus|sonnet|haiku)-(?:4(?:-\\d)?|5)${END}`);

/**
 * Tells by the name: there is no way to ask. A name that is not known is taken for a newer model's, which takes the
 * least; a name that is not Anthropic's at all is another server of this protocol, which is trusted to take everything.
 * https://platform.claude.com/docs/en/about-claude/models/migration-guide
 */
export function abilitiesOf(model: string): Abilities {
  if (!model.includes("claude")) return { budget: false, mayStopThinking: true, sampling: "both" };
  const budget = before46.test(model);
  const samples = budget || four6.test(model);
  return {
    budget,
    mayStopThinking: upTo5.test(model),
    sampling: before41.test(model) ? "both" : samples ? "one" : "none",
  };
}
