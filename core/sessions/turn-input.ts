import { z } from "zod";
import { line } from "../kernel/text.ts";
import { isStorable, messageContent } from "./message-content.ts";

/** The longest system prompt, in characters. */
const SYSTEM_LIMIT = 32_000;

/** The name of a model, as a request gives it. */
export const modelName = line(200);

/** A system prompt; an empty one is none. */
export const systemPrompt = z
  .string()
  .max(SYSTEM_LIMIT)
  .refine(isStorable, "must not hold NUL characters or broken Unicode")
  .transform((text) => (text.trim() === "" ? null : text));

/** What `POST /v1/chat` takes. Model and system prompt hold for the session from then on; null takes them back. */
export const turnInput = z.strictObject({
  session_id: z.string().max(200).nullish(),
  message: messageContent,
  model: modelName.nullish(),
  system: systemPrompt.nullish(),
  stream: z.boolean().nullish(),
  user: line(200).nullish(),
  /** Names of the skills that the model may use as tools; null: those that change nothing. */
  skills: z.array(line(100)).max(100).nullish(),
});
export type TurnInput = z.infer<typeof turnInput>;
