import { describe, expect, it } from "vitest";
import OpenAI from "openai";
import { PROMPT_TOKENS, vectorOf } from "#test/providers/completion-protocol.ts";
import { MODELS, openAiClient, type OpenAiTarget, rejection } from "./openai-target.ts";

/** What applications do with lists of models and with embeddings. */
export function describeModels(target: () => OpenAiTarget): void {
  const client = () => openAiClient(target());

  describe("models by the official client", () => {
    it("are listed", async () => {
      const names: string[] = [];
      for await (const model of client().models.list()) {
        expect(model).toMatchObject({ object: "model", id: expect.any(String) });
        expect(Number.isInteger(model.created)).toBe(true);
        names.push(model.id);
      }
      expect(names).toEqual(expect.arrayContaining(MODELS));
    });

    it.each(MODELS)("are found by name: %s", async (name) => {
      expect(await client().models.retrieve(name)).toMatchObject({ id: name, object: "model" });
    });

    it("are not found where there is none of the name", async () => {
      const error = await rejection(client().models.retrieve("org/no-such-model"));
      expect(error).toBeInstanceOf(OpenAI.NotFoundError);
      expect(error).toMatchObject({ status: 404, code: "model_not_found" });
    });
  });

  describe("embeddings by the official client", () => {
    it("come as the numbers that base64 carried, which is the client's default", async () => {
      const model = "embed-by-default";
      target().provider.script(model, {});
      const input = ["first", "دوم"];
      const answer = await client().embeddings.create({ model, input });
      expect(answer.data.map((one) => one.embedding)).toEqual(
        input.map((text) => vectorOf(JSON.stringify(text), 8)),
      );
      expect(answer.usage).toEqual({ prompt_tokens: 2 * PROMPT_TOKENS, total_tokens: 22 });
      expect(target().provider.requestsFor(model)[0]?.body?.["encoding_format"]).toBe("base64");
    });

    it("come as plain numbers where those are asked for, in the dimensions asked for", async () => {
      const answer = await client().embeddings.create({
        model: "suite",
        input: "text",
        encoding_format: "float",
        dimensions: 16,
      });
      expect(answer.data[0]?.embedding).toEqual(vectorOf(JSON.stringify("text"), 16));
    });

    it("take tokens in place of text", async () => {
      const answer = await client().embeddings.create({ model: "suite", input: [[1, 2, 3], [4]] });
      expect(answer.data).toHaveLength(2);
    });
  });
}
