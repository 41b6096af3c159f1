import fc from "fast-check";
import { encode } from "gpt-tokenizer/encoding/o200k_base";
import { describe, expect, it } from "vitest";
import { estimatePromptTokens, estimateTokens } from "./estimate-tokens.ts";
import categories from "./token-texts.json" with { type: "json" };

/** The texts were written for this test, and the table was fitted on other ones. */
const texts = Object.entries(categories).flatMap(([category, list]) =>
  list.map((text) => {
    const real = encode(text).length;
    return { category, text, real, error: estimateTokens(text) / real - 1 };
  }),
);

const off = (error: number) => Math.abs(error) > 0.1;

describe("estimateTokens, against o200k_base on 100 texts it was not fitted on", () => {
  it("has 100 texts of 40 to 4,100 characters", () => {
    expect(texts).toHaveLength(100);
    const lengths = texts.map(({ text }) => text.length);
    expect(Math.min(...lengths)).toBeGreaterThanOrEqual(40);
    expect(Math.max(...lengths)).toBeGreaterThan(4000);
  });

  it("is within 2 % in total", () => {
    const real = texts.reduce((sum, text) => sum + text.real, 0);
    const estimated = texts.reduce((sum, { text }) => sum + estimateTokens(text), 0);
    expect(Math.abs(estimated / real - 1)).toBeLessThan(0.02);
  });

  it.each(Object.entries(categories))(
    "is within 10 % for %s, in total and in the median",
    (category, list) => {
      const own = texts.filter((text) => text.category === category);
      const real = own.reduce((sum, text) => sum + text.real, 0);
      const estimated = list.reduce((sum, text) => sum + estimateTokens(text), 0);
      expect(Math.abs(estimated / real - 1)).toBeLessThan(0.1);
      const errors = own.map(({ error }) => error).toSorted((left, right) => left - right);
      expect(Math.abs(errors[errors.length >> 1] ?? 1)).toBeLessThan(0.1);
    },
  );

  it("is within 10 % for each text of 300 characters and more", () => {
    const failing = texts.filter(({ text, error }) => text.length >= 300 && off(error));
    expect(failing).toEqual([]);
  });

  it("is within 10 % for 91 of the 100, all of the others shorter than 250 characters", () => {
    const failing = texts.filter(({ error }) => off(error));
    expect(failing.length).toBeLessThanOrEqual(9);
    expect(Math.max(...failing.map(({ text }) => text.length))).toBeLessThan(250);
  });
});

describe("estimateTokens", () => {
  it("counts nothing as nothing, and anything as at least one token", () => {
    expect(estimateTokens("")).toBe(0);
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1 }), (text) => {
        const tokens = estimateTokens(text);
        expect(Number.isSafeInteger(tokens)).toBe(true);
        expect(tokens).toBeGreaterThanOrEqual(1);
        expect(tokens).toBeLessThanOrEqual(Math.max(1, text.length * 3));
      }),
    );
  });

  it("takes lone surrogates and control characters", () => {
    expect(estimateTokens("\uD83D")).toBeGreaterThan(0);
    expect(estimateTokens("\0\u0001\uDC00\uFFFF")).toBeGreaterThan(0);
  });

  it("gives about the sum of its parts when texts are put together", () => {
    const whole = texts.map(({ text }) => text).join("\n\n");
    const parts = texts.reduce((sum, { text }) => sum + estimateTokens(text), 0);
    expect(Math.abs(estimateTokens(whole) / parts - 1)).toBeLessThan(0.03);
  });

  it.each(["a", " ", "\n", "!", "9", "‌", "漢", "aB", " \n", "'s", "😀"])(
    "needs time in proportion to the length of a text that repeats %j",
    (unit) => {
      const milliseconds = (length: number) => {
        const text = unit.repeat(length / unit.length);
        const started = performance.now();
        estimateTokens(text);
        return performance.now() - started;
      };
      milliseconds(20_000);
      // Eight times the text; were it quadratic, it would take sixty-four times as long.
      expect(milliseconds(1_600_000)).toBeLessThan(32 * milliseconds(200_000) + 100);
    },
  );
});

describe("estimatePromptTokens", () => {
  it("is within 10 % of the 124 tokens that OpenAI counts for its own example with names", () => {
    const say = (name: string, content: string) => ({ role: "system", name, content });
    const messages = [
      {
        role: "system",
        content:
          "You are a helpful, pattern-following assistant that translates corporate jargon into plain English.",
      },
      say("example_user", "New synergies will help drive top-line growth."),
      say("example_assistant", "Things working well together will increase revenue."),
      say(
        "example_user",
        "Let's circle back when we have more bandwidth to touch base on opportunities for increased leverage.",
      ),
      say("example_assistant", "Let's talk later when we're less busy about how to do better."),
      {
        role: "user",
        content:
          "This late pivot means we don't have time to boil the ocean for the client deliverable.",
      },
    ];
    expect(Math.abs(estimatePromptTokens(messages) / 124 - 1)).toBeLessThan(0.1);
  });

  it("is within 10 % of the 101 tokens that OpenAI counts for its own example with a tool", () => {
    const messages = [
      {
        role: "system",
        content: "You are a helpful assistant that can answer to questions about the weather.",
      },
      { role: "user", content: "What's the weather like in San Francisco?" },
    ];
    const parameters = {
      type: "object",
      properties: {
        location: { type: "string", description: "The city and state, e.g. San Francisco, CA" },
        unit: {
          type: "string",
          description: "The unit of temperature to return",
          enum: ["celsius", "fahrenheit"],
        },
      },
      required: ["location"],
    };
    const description = "Get the current weather in a given location";
    const tool = {
      type: "function",
      function: { name: "get_current_weather", description, parameters },
    };
    expect(Math.abs(estimatePromptTokens(messages, [tool]) / 101 - 1)).toBeLessThan(0.1);
  });

  it("counts an image by its detail, whatever its bytes", () => {
    const image = (detail: string | undefined, bytes: number) => ({
      type: "image_url",
      image_url: { url: `data:image/png;base64,${"A".repeat(bytes)}`, detail },
    });
    const withImage = (part: unknown) => [{ role: "user", content: [part] }];
    const without = estimatePromptTokens([{ role: "user", content: [] }]);
    expect(estimatePromptTokens(withImage(image(undefined, 10)))).toBe(without + 765);
    expect(estimatePromptTokens(withImage(image("high", 1_000_000)))).toBe(without + 765);
    expect(estimatePromptTokens(withImage(image("low", 10)))).toBe(without + 85);
  });

  it("counts the calls of tools in a message, and their answers", () => {
    const call = {
      id: "c",
      type: "function",
      function: { name: "f", arguments: '{"city":"Paris"}' },
    };
    const asked = [{ role: "assistant", content: null, tool_calls: [call] }];
    expect(estimatePromptTokens(asked)).toBeGreaterThan(
      estimatePromptTokens([{ role: "assistant", content: null }]) + 5,
    );
  });

  it("takes whatever a client may send", () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.array(fc.jsonValue()), (messages, tools) => {
        expect(Number.isSafeInteger(estimatePromptTokens(messages, tools))).toBe(true);
      }),
    );
    let nested: unknown = {};
    for (let depth = 0; depth < 5000; depth++) nested = { properties: { a: nested } };
    const tool = { function: { name: "f", parameters: nested } };
    expect(estimatePromptTokens([null, 3, { content: 5 }], [tool])).toBeGreaterThan(0);
  });
});
