import { anthropic } from "./anthropic.ts";
import { gemini } from "./gemini.ts";
import { openai } from "./openai.ts";
import type { Recordings } from "./recording.ts";
import { workersAi } from "./workers-ai.ts";

/** What the suite runs on: a new kind is a line here. */
export const RECORDINGS: Recordings[] = [anthropic, gemini, openai, workersAi];
