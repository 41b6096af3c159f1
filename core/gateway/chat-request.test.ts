import { describe, expect, it } from "vitest";
import { AppError } from "../kernel/errors.ts";
import { parseChatRequest } from "./chat-request.ts";

const messages = [{ role: "user", content: "hi" }];
const parse = (more: object) => parseChatRequest(JSON.stringify({ model: "m", messages, ...more }));

function refusalOf(text: string): { code: string; param: string | undefined } {
  try {
    parseChatRequest(text);
  } catch (error) {
    if (error instanceof AppError) return { code: error.code, param: error.param };
    throw error;
  }
  throw new Error("It was not refused");
}

describe("a chat request", () => {
  it("is read as far as the gateway needs it, and kept as it came", () => {
    const request = parse({ stream: true, user: "me", x_unknown: { deep: [1] } });
    expect(request).toMatchObject({ model: "m", stream: true, user: "me", messages });
    expect(request.raw).toEqual({
      model: "m",
      messages,
      stream: true,
      user: "me",
      x_unknown: { deep: [1] },
    });
  });

  it.each(["system", "developer", "user", "assistant", "tool", "function"])(
    "may have messages of the role %s",
    (role) => expect(parse({ messages: [{ role, content: null }] }).messages).toHaveLength(1),
  );

  it("may leave out what is optional, or send null for it", () => {
    const request = parse({ stream: null, max_tokens: null, n: null, user: null });
    expect(request).toMatchObject({ stream: false, user: null });
  });

  it("keeps a field that is named like a part of every object", () => {
    const { raw } = parseChatRequest(
      `{"model":"m","messages":${JSON.stringify(messages)},"__proto__":{"stream":true}}`,
    );
    expect(Object.hasOwn(raw, "__proto__")).toBe(true);
    expect(raw["stream"]).toBeUndefined();
  });

  it.each<[string, string]>([
    ["", "invalid_json"],
    ["nonsense", "invalid_json"],
    ['{"model":', "invalid_json"],
    ["[]", "invalid_request"],
    ["null", "invalid_request"],
    ["7", "invalid_request"],
  ])("is refused where it is no JSON object: %s", (text, code) => {
    expect(refusalOf(text).code).toBe(code);
  });

  it.each<[object, string]>([
    [{ model: undefined }, "model"],
    [{ model: "" }, "model"],
    [{ model: {} }, "model"],
    [{ model: "m".repeat(201) }, "model"],
    [{ messages: {} }, "messages"],
    [{ messages: [] }, "messages"],
    [{ messages: [7] }, "messages[0]"],
    [{ messages: [...messages, { role: "USER" }] }, "messages[1].role"],
    [{ messages: [{ role: "user", content: {} }] }, "messages[0].content"],
    [{ stream: 1 }, "stream"],
    [{ max_tokens: 0 }, "max_tokens"],
    [{ max_tokens: 1.5 }, "max_tokens"],
    [{ max_completion_tokens: "5" }, "max_completion_tokens"],
    [{ n: -1 }, "n"],
  ])("is refused with the name of what is wrong: %j", (more, param) => {
    const text = JSON.stringify({ model: "m", messages, ...more });
    expect(refusalOf(text)).toEqual({ code: "invalid_request", param });
  });
});
