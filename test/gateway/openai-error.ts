import { expect } from "vitest";

/** The header that carries a key. */
export const bearer = (key = "") => ({ authorization: `Bearer ${key}` });

interface ErrorAnswer {
  error: { message: string; type: string; param: string | null; code: string; request_id: string };
}

/** An answer that refuses a request, as OpenAI's clients read it, with a sentence in it. */
export async function expectOpenAiError(response: Response, status: number, code: string) {
  const text = await response.text();
  expect([response.status, text]).toEqual([status, expect.stringContaining(`"code":"${code}"`)]);
  expect(response.headers.get("content-type")).toMatch(/^application\/json/);
  const { error } = JSON.parse(text) as ErrorAnswer; // checked field by field
  expect(Object.keys(error).sort()).toEqual(["code", "message", "param", "request_id", "type"]);
  expect(error.type).toBe("invalid_request_error");
  expect(error.message).toMatch(/^\S[^\n]{10,}\.$/);
  expect(error.request_id).toBe(response.headers.get("x-request-id"));
  return error;
}
