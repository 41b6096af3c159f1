import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { AppError, type FieldError } from "#core/kernel/errors.ts";
import type { AppEnv } from "./app-types.ts";

/** A router of the api Worker. Its validation errors are our own: 422 with a path and a sentence for each field. */
export function createRouter(): OpenAPIHono<AppEnv> {
  return new OpenAPIHono<AppEnv>({
    defaultHook(result) {
      if (!result.success) throw validationError(result.error);
    },
  });
}

/** What zod found wrong, as our error. */
export function validationError(error: z.ZodError): AppError {
  const fields: FieldError[] = error.issues.map((issue) => ({
    path: issue.path.map(String).join("."),
    message:
      issue.code === "unrecognized_keys" ? `${issue.message}; it is not known here` : issue.message,
  }));
  const first = fields[0];
  const where = first && first.path !== "" ? `${first.path}: ` : "";
  return new AppError("validation_failed", {
    message: `${where}${first?.message ?? "invalid"}${fields.length > 1 ? ` (and ${fields.length - 1} more, see errors)` : ""}`,
    fields,
  });
}

export const problemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    code: z.string(),
    request_id: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .openapi("Problem");

/** The error answers that any route may give, for `responses` of createRoute. */
export const problemResponses = {
  default: {
    description: "A problem, as RFC 9457 describes it",
    content: { "application/problem+json": { schema: problemSchema } },
  },
} as const;

/** A JSON body of a request. `required` makes the validation run whatever the content type says. */
export const jsonBody = <Schema extends z.ZodType>(schema: Schema) =>
  ({ body: { required: true, content: { "application/json": { schema } } } }) as const;

/** A JSON body of an answer. */
export const jsonResponse = <Schema extends z.ZodType>(description: string, schema: Schema) =>
  ({ description, content: { "application/json": { schema } } }) as const;

export const security = [{ apiKey: [] }];

/** `?limit=&cursor=` of every list. */
export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(500).optional(),
});

/** `{data, next_cursor}` of every list. */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ data: z.array(item), next_cursor: z.string().nullable() });

/** The team that a super admin acts for; other callers have their own. */
export const teamHeader = z.object({
  "x-team-id": z
    .string()
    .optional()
    .openapi({ description: "Super admins only: the team to act for" }),
});

/** A limit on a team or a key. */
export const limitSchema = z
  .object({
    unit: z.enum(["requests", "tokens", "usd", "concurrency"]),
    window: z.enum(["second", "minute", "hour", "day", "week", "month", "total"]),
    max: z.union([z.number(), z.string()]),
  })
  .openapi("Limit");

export { createRoute, z };
