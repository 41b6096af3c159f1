import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { validationError } from "#core/kernel/validation-error.ts";
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

/** Header of every POST that gives a job. */
export const preferHeader = z.object({
  prefer: z.string().optional().openapi({
    description:
      "`wait=20`: to be answered with the ended job where it ends within so many seconds (60 at most)",
    example: "wait=20",
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
