import { describe, expect, it } from "vitest";
import { type Fields, listOf, objectOf } from "#core/chat/loose-json.ts";
import { kindOf } from "#core/providers/kinds/kinds.ts";
import { kindRequest } from "./gathered.ts";
import { RECORDINGS } from "./recordings/recordings.ts";

const EMBEDDERS = RECORDINGS.flatMap(({ kind, embeddings }) =>
  embeddings === null ? [] : [{ kind, recording: embeddings }],
);
const VECTORS = [
  [1, 0.5],
  [-0.25, 0],
];

describe.each(EMBEDDERS)("embeddings of $kind", ({ kind, recording }) => {
  const exchange = (raw: Fields) =>
    kindOf(kind).embeddings?.(kindRequest({ input: ["one", "two"], ...raw }));
  const decoded = (raw: Fields) => {
    const decode = exchange(raw)?.decodeWhole;
    return objectOf(JSON.parse(decode ? decode(recording.wire) : recording.wire));
  };
  const translates = exchange({})?.decodeWhole !== null;

  it("are OpenAI's list, with the tokens that were counted", () => {
    const list = decoded({});
    expect(list).toMatchObject({ object: "list", model: "ours" });
    const data = listOf(list["data"]).map(objectOf);
    expect(data.map(({ embedding }) => embedding)).toEqual(VECTORS);
    expect(data.map(({ index }) => index)).toEqual([0, 1]);
    const tokens = recording.promptTokens;
    const usage = tokens === null ? undefined : { prompt_tokens: tokens };
    if (usage) expect(list["usage"]).toMatchObject(usage);
    else expect(list).not.toHaveProperty("usage");
  });

  it.runIf(translates)("come in base64 where that was asked for", () => {
    const data = listOf(decoded({ encoding_format: "base64" })["data"]).map(objectOf);
    const vectors = data.map(({ embedding }) => {
      const bytes = Buffer.from(String(embedding), "base64");
      return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readFloatLE(index * 4));
    });
    expect(vectors).toEqual(VECTORS);
    expect(() => decoded({ encoding_format: "hex" })).toThrow(/encoding_format/);
  });

  it.runIf(translates)(
    "are refused for lists of tokens, which only OpenAI's own models know",
    () => {
      for (const input of [
        [1, 2, 3],
        [[1, 2], [3]],
        ["text", 7],
      ])
        expect(() => exchange({ input })).toThrow(
          expect.objectContaining({ code: "invalid_request", param: "input" }),
        );
    },
  );

  it.runIf(translates)("are none where a vector is none", () => {
    const decode = exchange({})?.decodeWhole;
    for (const text of [
      "{}",
      "null",
      recording.wire.replace("0.5", '"x"'),
      recording.wire.slice(9),
    ])
      expect(() => decode?.(text)).toThrow();
  });
});
