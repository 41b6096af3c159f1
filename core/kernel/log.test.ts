import { describe, expect, it } from "vitest";
import { createLogger, type LogLevel } from "./log.ts";

function logged(
  level: LogLevel,
  write: (log: ReturnType<typeof createLogger>) => void,
): Record<string, unknown>[] {
  const lines: string[] = [];
  write(createLogger(level, (_, line) => lines.push(line), { service: "api" }));
  return lines.map((line) => JSON.parse(line));
}

describe("the log", () => {
  it("writes one JSON line with level, time, event and fields, and leaves out what is undefined", () => {
    const [line] = logged("info", (log) =>
      log
        .with({ request_id: "req_1" })
        .info("request", { status: 200, key_id: undefined, note: 'a "b"\n', big: 12n, none: null }),
    );
    expect(line).toEqual({
      level: "info",
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
      event: "request",
      service: "api",
      request_id: "req_1",
      status: 200,
      note: 'a "b"\n',
      big: "12",
      none: null,
    });
  });

  it("writes nothing below its level", () => {
    expect(
      logged("warn", (log) => (log.debug("a"), log.info("b"), log.warn("c"), log.error("d"))).map(
        (line) => line["event"],
      ),
    ).toEqual(["c", "d"]);
  });

  it("removes what is named like a secret, however deep it lies", () => {
    const secret = "sk-very-secret";
    const [line] = logged("info", (log) =>
      log.info("x", {
        authorization: secret,
        api_key: secret,
        nested: { apiKey: secret, list: [{ client_secret: secret, password: secret }] },
        bot_token: secret,
      }),
    );
    expect(JSON.stringify(line)).not.toContain(secret);
    expect(line?.["authorization"]).toBe("[removed]");
  });

  it("keeps counts of tokens, which are no secret", () => {
    const [line] = logged("info", (log) => log.info("x", { input_tokens: 12, key_id: "key_1" }));
    expect(line).toMatchObject({ input_tokens: 12, key_id: "key_1" });
  });

  it("tells an error with its cause", () => {
    const [line] = logged("info", (log) =>
      log.error("x", { error: new Error("outer", { cause: new TypeError("inner") }) }),
    );
    expect(line?.["error"]).toMatchObject({
      name: "Error",
      message: "outer",
      cause: { name: "TypeError", message: "inner" },
    });
  });
});
