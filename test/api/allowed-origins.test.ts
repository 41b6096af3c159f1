import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { expectProblem } from "./problem.ts";
import { type Stack, startStack } from "#test/harness/stack.ts";

const APP = "https://app.example.com";
let stack: Stack;

beforeAll(async () => {
  stack = await startStack({
    postgres: inject("postgres"),
    workers: ["api"],
    vars: { ALLOWED_ORIGINS: `${APP}, http://localhost:3000` },
  });
});
afterAll(() => stack.stop());

const preflight = (origin: string) =>
  fetch(`${stack.urls.api}/v1/chat/completions`, {
    method: "OPTIONS",
    headers: {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization,content-type,x-stainless-lang",
    },
  });

describe("a page in a browser", () => {
  it.each([APP, "http://localhost:3000"])(
    "may call the API from %s, asking first without a key",
    async (origin) => {
      const response = await preflight(origin);
      expect(response.status).toBe(204);
      expect(response.headers.get("access-control-allow-origin")).toBe(origin);
      expect(response.headers.get("access-control-allow-methods")).toContain("POST");
      expect(response.headers.get("access-control-allow-headers")).toContain("x-stainless-lang");
      expect(response.headers.get("access-control-allow-credentials")).toBeNull();
    },
  );

  it.each(["https://evil.example", `${APP}.evil.example`, "null", "http://app.example.com"])(
    "may not from %s, though the question before it, which has no key, is answered for all",
    async (origin) => {
      expect((await preflight(origin)).status).toBe(204);
      const response = await stack.admin.request("GET", "/v1/teams", undefined, { origin });
      await expectProblem(response.clone(), 403, "origin_not_allowed");
      expect(response.headers.get("access-control-allow-origin")).toBeNull();
    },
  );

  it("reads answers and errors, with the headers that tell it more", async () => {
    const good = await stack.admin.request("GET", "/v1/teams", undefined, { origin: APP });
    expect(good.headers.get("access-control-allow-origin")).toBe(APP);
    expect(good.headers.get("access-control-expose-headers")).toContain("x-request-id");
    expect(good.headers.get("vary")?.toLowerCase()).toContain("origin");
    const refused = await stack
      .client(null)
      .request("GET", "/v1/teams", undefined, { origin: APP });
    expect(refused.status).toBe(401);
    expect(refused.headers.get("access-control-allow-origin")).toBe(APP);
  });
});
