/** What is searched in the data of a chunk, which is not parsed for it. */

/** A piece of what the model writes: text, reasoning, a refusal, a call of a tool. */
export const TOKEN =
  /"(?:content|reasoning_content|reasoning|arguments|refusal|text)"\s*:\s*"[^"]|"tool_calls"\s*:\s*\[/;
/** The reason for an answer's end. Some providers send an empty one until there is one. */
export const FINISHED = /"finish_reason"\s*:\s*"[^"]/;
