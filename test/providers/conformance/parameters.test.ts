import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Fields, objectOf } from "#core/chat/loose-json.ts";
import { AppError } from "#core/kernel/errors.ts";
import type { KindName } from "#core/providers/kinds/kind.ts";
import { kindOf } from "#core/providers/kinds/kinds.ts";
import { kindRequest } from "./gathered.ts";

/** The columns of the table in docs/providers.md, and a model for each. */
const COLUMNS: [KindName, string][] = [
  ["anthropic", "claude-sonnet-4-5"],
  ["gemini", "gemini-3-pro"],
  ["workers_ai", "@cf/openai/gpt-oss-120b"],
];
const ADDRESS = new URL("../../../docs/providers.md", import.meta.url);

/** The rows of the table: a parameter's name, and what it says for each column. */
function documented(): { name: string; says: string[] }[] {
  const section = readFileSync(ADDRESS, "utf8").split("## Parameter by parameter")[1] ?? "";
  const rows = (section.split("\n## ")[0] ?? "")
    .split("\n")
    .filter((line) => line.startsWith("| `"));
  return rows.flatMap((row) => {
    const [names = "", ...says] = row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim());
    return [...names.matchAll(/`(\w+)`/g)].map(([, name = ""]) => ({ name, says }));
  });
}

const TOOLS = {
  tools: [{ type: "function", function: { name: "now", parameters: { type: "object" } } }],
};
const FORMAT = { type: "json_schema", json_schema: { name: "x", schema: { type: "object" } } };
/** A value of each parameter that asks for something, and what else it needs. */
const VALUES: Record<string, { value: unknown; beside?: Fields }> = {
  audio: { value: { voice: "alloy", format: "wav" } },
  frequency_penalty: { value: 0.5 },
  function_call: { value: "auto" },
  functions: { value: [{ name: "now" }] },
  logit_bias: { value: { "1": 2 } },
  logprobs: { value: true },
  max_completion_tokens: { value: 9 },
  max_tokens: { value: 9 },
  metadata: { value: { a: "b" } },
  modalities: { value: ["audio"] },
  n: { value: 2 },
  parallel_tool_calls: { value: false, beside: TOOLS },
  prediction: { value: { type: "content", content: "x" } },
  presence_penalty: { value: 0.5 },
  prompt_cache_key: { value: "x" },
  reasoning_effort: { value: "low", beside: { max_completion_tokens: 4_000 } },
  response_format: { value: FORMAT },
  safety_identifier: { value: "x" },
  seed: { value: 7 },
  service_tier: { value: "flex" },
  stop: { value: ["END"] },
  store: { value: true },
  temperature: { value: 1.5 },
  tool_choice: { value: "required", beside: TOOLS },
  tools: { value: TOOLS.tools },
  top_k: { value: 40 },
  top_logprobs: { value: 2 },
  top_p: { value: 0.5 },
  user: { value: "x" },
  verbosity: { value: "low" },
  web_search_options: { value: {} },
};

/** What a kind does with a parameter, in the words of the table. */
function fateOf(kind: KindName, targetModel: string, name: string): string {
  const { value, beside = {} } = VALUES[name] ?? { value: undefined };
  const raw = { ...beside, [name]: value };
  const sent = (fields: Fields) => {
    const { request } = kindOf(kind).chat({ ...kindRequest(fields), targetModel });
    return request.by === "http" ? objectOf(JSON.parse(request.body)) : request.input;
  };
  let body: Fields;
  try {
    body = sent(raw);
  } catch (error) {
    expect(error).toBeInstanceOf(AppError);
    expect(error).toMatchObject({ code: "invalid_request", param: name });
    return "refused";
  }
  if (JSON.stringify(body) === JSON.stringify(sent(beside)))
    return kindOf(kind)
      .chat({ ...kindRequest(raw), targetModel })
      .leftOut?.includes(name)
      ? "left out"
      : "no matter";
  const same = JSON.stringify(body[name]) === JSON.stringify(value);
  return same && name !== "max_tokens" && name !== "tools" ? "as it is" : "translated";
}

describe("the table of parameters in docs/providers.md", () => {
  const rows = documented();

  it("has every parameter that is tried here", () => {
    expect(rows.map(({ name }) => name).toSorted()).toEqual(Object.keys(VALUES).toSorted());
  });

  // Of this one the answer is cut; the test of Gemini's calls shows it.
  const elsewhere = new Set(["gemini parallel_tool_calls"]);
  const cells = rows.flatMap(({ name, says }) =>
    COLUMNS.map(([kind, model], index) => ({ kind, model, name, says: says[index] ?? "" })),
  );
  it.each(cells.filter(({ kind, name }) => !elsewhere.has(`${kind} ${name}`)))(
    "is right: $name at $kind is $says",
    ({ kind, model, name, says }) => {
      const fate = fateOf(kind, model, name);
      // Workers AI takes tools as OpenAI has them, and the limit under the older name.
      const unchanged = kind === "workers_ai" && name === "tools" ? "as it is" : fate;
      expect(says.startsWith(unchanged)).toBe(true);
    },
  );
});

describe("parameters that Anthropic's models do not take", () => {
  const left = (targetModel: string, raw: Fields) =>
    kindOf("anthropic").chat({ ...kindRequest(raw), targetModel }).leftOut;
  const all = { temperature: 0.5, top_p: 0.5, seed: 7 };

  it.each([
    ["claude-3-5-haiku-latest", ["seed"]],
    ["claude-sonnet-4-20250514", ["seed"]],
    ["claude-sonnet-4-5", ["seed", "top_p"]],
    ["claude-opus-4-7", ["seed", "temperature", "top_p"]],
    ["claude-opus-5-5", ["seed", "temperature", "top_p"]],
    ["claude-next-9", ["seed", "temperature", "top_p"]],
    ["other-server/model", ["seed"]],
  ])("are named, and only they are not sent: %s", (model, names) => {
    expect(left(model, all)).toEqual(names);
    const { request } = kindOf("anthropic").chat({ ...kindRequest(all), targetModel: model });
    const body = request.by === "http" ? objectOf(JSON.parse(request.body)) : {};
    const sent = Object.keys(all).filter((name) => name in body);
    expect([...names, ...sent].toSorted()).toEqual(Object.keys(all).toSorted());
  });

  it("are how hard to think, where there is no room for it or a tool is forced", () => {
    const effort = { reasoning_effort: "high" };
    expect(left("claude-sonnet-4-5", { ...effort, max_tokens: 100 })).toEqual(["reasoning_effort"]);
    expect(
      left("claude-sonnet-4-5", { ...effort, ...TOOLS, tool_choice: "required", temperature: 1 }),
    ).toEqual(["reasoning_effort"]);
    expect(left("claude-opus-4-6", { ...effort, ...TOOLS, tool_choice: "required" })).toEqual([]);
  });

  it("are temperature and top_p while it thinks", () => {
    expect(left("claude-opus-4-6", { ...all, reasoning_effort: "high" })).toEqual([
      "seed",
      "temperature",
      "top_p",
    ]);
    expect(left("claude-opus-4-6", { messages: [] })).toEqual([]);
  });
});

describe("one call at a time", () => {
  it("is kept by cutting Google's further calls off, whole and streamed", () => {
    const raw = { ...TOOLS, parallel_tool_calls: false };
    const calls = ["a", "b"].map((name) => ({ functionCall: { name, args: {} } }));
    const answer = JSON.stringify({
      candidates: [{ content: { parts: calls }, finishReason: "STOP" }],
    });
    const whole = kindOf("gemini").chat(kindRequest(raw)).decodeWhole?.(answer) ?? "";
    expect(whole).toContain('"name":"a"');
    expect(whole).not.toContain('"name":"b"');
    const translator = kindOf("gemini")
      .chat(kindRequest({ ...raw, stream: true }))
      .translateStream?.();
    const streamed =
      translator?.push({ data: answer, event: undefined, raw: new Uint8Array() }) ?? "";
    expect(streamed).toContain('"name":"a"');
    expect(streamed).not.toContain('"name":"b"');
  });
});
