import type { Fault } from "#test/providers/fault.ts";

const completion = (message: object, reason: string): Fault => ({
  status: 200,
  contentType: "application/json",
  body: JSON.stringify({
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 1,
    model: "m",
    choices: [
      {
        index: 0,
        message: { role: "assistant", content: null, ...message },
        finish_reason: reason,
      },
    ],
    usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
  }),
});

/** What a model says. */
export const says = (content: string): Fault => completion({ content }, "stop");

/** A model that asks for tools. */
export const calls = (...tools: [name: string, args: object | string][]): Fault =>
  completion(
    {
      tool_calls: tools.map(([name, args], index) => ({
        id: `call_${index}`,
        type: "function",
        function: { name, arguments: typeof args === "string" ? args : JSON.stringify(args) },
      })),
    },
    "tool_calls",
  );

/** One answer after the other, the last for good. */
export const inTurn =
  (...faults: Fault[]) =>
  (earlier: number): Fault =>
    faults[Math.min(earlier, faults.length - 1)] ?? {};
