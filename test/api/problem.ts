import { expect } from "vitest";
import { z } from "zod";

const problem = z.strictObject({
  type: z.string().startsWith("urn:switchyard:error:"),
  title: z.string().min(1),
  status: z.number(),
  detail: z.string().min(1),
  code: z.string(),
  request_id: z.string().startsWith("req_"),
  errors: z
    .array(
      z.strictObject({
        path: z.string(),
        message: z.string(),
        suggestions: z.array(z.string()).optional(),
      }),
    )
    .optional(),
});
export type Problem = z.infer<typeof problem>;

/** Checks that an answer is a problem as RFC 9457 and the contract want it, and returns it. */
export async function expectProblem(
  response: Response,
  status: number,
  code: string,
): Promise<Problem> {
  const text = await response.text();
  expect(`${response.status} ${text}`).toMatch(new RegExp(`^${status} `));
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  const body = problem.parse(JSON.parse(text));
  expect(body).toMatchObject({ status, code, type: `urn:switchyard:error:${code}` });
  expect(body.request_id).toBe(response.headers.get("x-request-id"));
  return body;
}

/** Checks that an answer is 422 and names these fields, and only these. */
export async function expectInvalid(response: Response, ...paths: string[]): Promise<Problem> {
  const body = await expectProblem(response, 422, "validation_failed");
  expect(body.errors?.map((error) => error.path).sort()).toEqual(paths.toSorted());
  return body;
}
