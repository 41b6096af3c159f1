import { expect, test } from "vitest";
import { keptMessages, roundMessages } from "./tool-calls.ts";

const call = { id: "a", name: "f", arguments: "no json", extra: { google: "signed" } };

test("a round is told with a result for each call, and with arguments that every provider takes", () => {
  const round = roundMessages({ text: "Let me see.", extra: { anthropic: "thought" } }, [call], []);
  expect(round).toEqual([
    {
      role: "assistant",
      content: "Let me see.",
      tool_calls: [
        {
          id: "a",
          type: "function",
          function: { name: "f", arguments: "{}" },
          extra_content: { google: "signed" },
        },
      ],
      extra_content: { anthropic: "thought" },
    },
    { role: "tool", tool_call_id: "a", content: "" },
  ]);
});

test("what is kept of a round has no signatures, and nothing that the answer says anyway", () => {
  const round = roundMessages({ text: "Let me see.", extra: {} }, [call], ["result"]);
  expect(keptMessages(round)).toEqual([
    {
      role: "assistant",
      content: null,
      tool_calls: [{ id: "a", type: "function", function: { name: "f", arguments: "{}" } }],
    },
    { role: "tool", tool_call_id: "a", content: "result" },
  ]);
});
