import type { KindName } from "#core/providers/kinds/kind.ts";

/** An answer in a provider's own form, as its documentation has it, and what it says. */
export interface Recording {
  scenario: string;
  /** The bytes of the answer as text: JSON, or the events of a stream. */
  wire: string;
  text: string;
  reasoning: string;
  calls: { name: string; arguments: string }[];
  finish: string;
  usage: { prompt_tokens: number; completion_tokens: number; cached: number };
}

/** All that is recorded of a kind. */
export interface Recordings {
  kind: KindName;
  streams: Recording[];
  wholes: Recording[];
  /** Embeddings of two texts, (1, 0.5) and (-0.25, 0); null where the kind has none. */
  embeddings: { wire: string; promptTokens: number | null } | null;
  /** Error answers, and the status that they mean. */
  refusals: { status: number; body: unknown; meaning: number; message: string | null }[];
}

/** Events without names, one after the other. */
export const plainEvents = (events: unknown[], end = "\n\n") =>
  events.map((event) => `data: ${JSON.stringify(event)}${end}`).join("");
