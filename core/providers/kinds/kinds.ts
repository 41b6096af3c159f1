import { anthropic } from "./anthropic/anthropic.ts";
import { gemini } from "./gemini/gemini.ts";
import type { KindName, ProviderKind } from "./kind.ts";
import { openai } from "./openai/openai.ts";
import { workersAi } from "./workers-ai/workers-ai.ts";

const KINDS: Readonly<Record<KindName, ProviderKind>> = {
  openai,
  anthropic,
  gemini,
  workers_ai: workersAi,
};

/** The protocol of this name. */
export function kindOf(name: KindName): ProviderKind {
  return KINDS[name];
}
