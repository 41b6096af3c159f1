import type { KindName, ProviderKind } from "./kind.ts";
import { openai } from "./openai/openai.ts";

/** The protocol of this name. */
export function kindOf(_name: KindName): ProviderKind {
  return openai;
}
