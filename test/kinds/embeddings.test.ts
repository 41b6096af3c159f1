import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { vectorOf } from "#test/providers/completion-protocol.ts";
import { type KindsStack, PRICE, startKinds, type Target } from "./kinds-stack.ts";

let kinds: KindsStack;
beforeAll(async () => {
  kinds = await startKinds(inject("postgres"));
});
afterAll(() => kinds?.stop());

/** OpenAI's own server makes its vectors of the JSON of an input. */
const EMBEDDERS: {
  name: string;
  target: Target;
  vector: (text: string) => number[];
  counts: boolean;
}[] = [
  {
    name: "openai",
    target: { provider: "openai", model: "embed" },
    vector: (text) => vectorOf(JSON.stringify(text), 8),
    counts: true,
  },
  {
    name: "gemini",
    target: { provider: "gemini", model: "gemini-embedding-001" },
    vector: (text) => vectorOf(text, 8),
    counts: false,
  },
  {
    name: "workers_ai",
    target: { provider: "workers_ai", model: "@cf/baai/bge-m3" },
    vector: (text) => vectorOf(text, 8),
    counts: false,
  },
];
const input = ["first", "دوم"];

describe.each(EMBEDDERS)(
  "embeddings by OpenAI's official client before $name",
  ({ name, target, vector, counts }) => {
    it.each(["base64", "float"] as const)(
      "come as numbers, asked for as %s",
      async (encoding_format) => {
        const ours = await kinds.model(`embed/${name}-${encoding_format}`, [target]);
        // Without a format the client asks for base64, and decodes it.
        const format = encoding_format === "base64" ? {} : { encoding_format };
        const answer = await kinds.openai().embeddings.create({ model: ours, input, ...format });
        expect(answer.data.map(({ embedding }) => [...embedding])).toEqual(input.map(vector));
        expect(answer.data.map(({ index }) => index)).toEqual([0, 1]);
        const [record] = await kinds.waitForRecords(ours, 1);
        expect(record).toMatchObject({
          status: 200,
          provider: target.provider,
          output_tokens: 0,
          estimated: !counts,
        });
        expect(record?.input_tokens).toBeGreaterThan(0);
        expect(record?.cost_micros).toBe((record?.input_tokens ?? 0) * PRICE.input);
      },
    );
  },
);

async function rejection(work: PromiseLike<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error("It did not fail");
}

describe("embeddings that a kind cannot make", () => {
  const gemini: Target = { provider: "gemini", model: "gemini-embedding-001" };
  const cloudflare: Target = { provider: "workers_ai", model: "@cf/baai/bge-m3" };

  it("have the dimensions that were asked for where Google can", async () => {
    const ours = await kinds.model("embed/dimensions", [gemini]);
    const answer = await kinds
      .openai()
      .embeddings.create({ model: ours, input: "text", dimensions: 16 });
    expect(answer.data[0]?.embedding).toEqual(vectorOf("text", 16));
  });

  it.each<[string, Target, object, string]>([
    ["tokens at Google", gemini, { input: [[1, 2], [3]] }, "input"],
    ["tokens at Workers AI", cloudflare, { input: [1, 2] }, "input"],
    ["dimensions at Workers AI", cloudflare, { dimensions: 16 }, "dimensions"],
    ["any at Anthropic", { provider: "anthropic", model: "claude-opus-5-5" }, {}, "model"],
  ])("are refused with the parameter: %s", async (what, target, more, param) => {
    const ours = await kinds.model(`embed/refused-${what.replaceAll(" ", "-")}`, [target]);
    const error = await rejection(
      kinds.openai().embeddings.create({ model: ours, input: "text", ...more }),
    );
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({ param, code: "invalid_request" });
  });

  it("fall back to a target of another kind", async () => {
    const failing: Target = { provider: "gemini", model: "gemini-embedding-failing" };
    kinds.geminiServer.script(failing.model, { status: 503 });
    const ours = await kinds.model("embed/fallback", [failing, cloudflare]);
    const answer = await kinds.openai().embeddings.create({ model: ours, input });
    expect(answer.data).toHaveLength(2);
    const [record] = await kinds.waitForRecords(ours, 1);
    expect(record).toMatchObject({ provider: "workers_ai", attempt: 2 });
  });
});
