/**
 * What a model takes, by its name, as the migration guides of its generation say:
 * https://platform.claude.com/docs/en/about-claude/models/migration-guide
 */
export interface Generation {
  /** `thinking.type` that it takes. */
  thinking: readonly string[];
  /** Whether it thinks where nothing is said about it. */
  thinksByDefault: boolean;
  /** Whether temperature, top_p and top_k are more than their defaults. */
  sampling: boolean;
  forcedTools: boolean;
  prefill: boolean;
}

const FOUR: Generation = {
  thinking: ["enabled", "disabled"],
  thinksByDefault: false,
  sampling: true,
  forcedTools: true,
  prefill: true,
};
const FOUR_SIX: Generation = {
  ...FOUR,
  thinking: ["enabled", "disabled", "adaptive"],
  prefill: false,
};
const FOUR_SEVEN: Generation = {
  ...FOUR_SIX,
  thinking: ["disabled", "adaptive"],
  sampling: false,
};
const FIVE: Generation = { ...FOUR_SEVEN, thinksByDefault: true };
const FIVE_FIVE: Generation = { ...FIVE, thinking: ["adaptive"], forcedTools: false };

export function generationOf(model: string): Generation {
  if (/-4-6/.test(model)) return FOUR_SIX;
  if (/-4-[78]/.test(model)) return FOUR_SEVEN;
  if (/^claude-[a-z]+-5-5/.test(model)) return FIVE_FIVE;
  if (/^claude-[a-z]+-5(?:$|-[a-z])/.test(model)) return FIVE;
  return FOUR;
}
