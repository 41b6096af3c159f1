import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { AppError, type FieldError } from "#core/kernel/errors.ts";
import type { AppEnv } from "./app-types.ts";
import { PathRouter } from "./path-router.ts";

/** A router of the api Worker. Its validation errors are our own: 422 with a path and a sentence for each field. */
export function createRouter(): OpenAPIHono<AppEnv> {
  return new OpenAPIHono<AppEnv>({
    router: new PathRouter(),
    defaultHook(result) {
      if (!result.success) throw validationError(result.error);
    },
  });
}

/** How many faults one answer lists, and how long the name of a field may be in it. */
const FAULTS_LISTED = 50;
const FIELD_NAME_LISTED = 100;

/** Fields that are changed elsewhere, and what to say to those who send them. */
const ELSEWHERE = new Map([
  ["limits", "is not changed here; send the limits by PUT to …/limits of the team or key"],
]);

/** One fault for each field that is not known, so that a client finds it by its path. */
function fieldErrors(issue: z.core.$ZodIssue): FieldError[] {
  const path = issue.path.map(String);
  if (issue.code !== "unrecognized_keys") {
    return [{ path: path.join("."), message: issue.message }];
  }
  return issue.keys.slice(0, FAULTS_LISTED).map((key) => ({
    path: [...path, key.slice(0, FIELD_NAME_LISTED)].join("."),
    message: ELSEWHERE.get(key) ?? "is not a field of this body",
  }));
}

/** What zod found wrong, as our error. */
export function validationError(error: z.ZodError): AppError {
  const fields = error.issues.slice(0, FAULTS_LISTED).flatMap(fieldErrors).slice(0, FAULTS_LISTED);
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
    errors: z
      .array(
        z.object({
          path: z.string(),
          message: z.string(),
          suggestions: z.array(z.string()).optional().openapi({
            description: "What the value may have been meant to be, the likeliest first",
          }),
        }),
      )
      .optional(),
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
export const jsonBody = <Schema extends z.ZodType>(schema: Schema, example?: z.input<Schema>) =>
  ({ body: { required: true, content: { "application/json": { schema, example } } } }) as const;

/** A JSON body of an answer. */
export const jsonResponse = <Schema extends z.ZodType>(
  description: string,
  schema: Schema,
  example?: z.input<Schema>,
) => ({ description, content: { "application/json": { schema, example } } }) as const;

/** An answer without a body. */
export const noContent = (description: string) => ({ description }) as const;

/** Either header will do. */
export const security: Record<string, string[]>[] = [{ bearer: [] }, { apiKeyHeader: [] }];

/** `?limit=&cursor=` of every list. */
export const pageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50).openapi({
    description: "How many to give at most",
  }),
  cursor: z.string().max(500).optional().openapi({
    description: "`next_cursor` of the page before; leave it out for the first",
  }),
});

/** `{data, next_cursor}` of every list. */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({
    data: z.array(item),
    next_cursor: z.string().nullable().openapi({
      description: "Send it as `cursor` for the next page; null on the last",
    }),
  });

/** The team that a super admin acts for, or one of a person's teams; keys have their own. */
export const teamHeader = z.object({
  "x-team-id": z
    .string()
    .optional()
    .openapi({ description: "Super admins, and people of several teams: the team to act for" }),
});

/** Header of every POST that creates something. */
export const idempotencyHeader = z.object({
  "idempotency-key": z.string().optional().openapi({
    description:
      "Any text of 1 to 255 printable ASCII characters. The same one with the same body gives the same answer for 24 hours, so that a request can be repeated safely; with another body it is refused.",
    example: "7f9c2ba4-3c11-4e0a-9a55-0d2f5f2f9d64",
  }),
});

/** From which addresses a key or a team may be used. */
export const ipRulesSchema = z
  .object({
    allow: z.array(z.string()).openapi({ description: "Empty for all" }),
    deny: z.array(z.string()).openapi({ description: "Wins over `allow`" }),
  })
  .openapi("IpRules");

export { createRoute, z };
