import { SCOPES } from "#core/kernel/scopes.ts";
import { type Caller, describeCaller } from "#core/members/describe-caller.ts";
import { memberRole } from "#core/members/member.ts";
import {
  createRoute,
  createRouter,
  jsonResponse,
  problemResponses,
  security,
  teamHeader,
  z,
} from "../openapi.ts";

const teamSchema = z.object({
  id: z.string(),
  name: z.string(),
  role: memberRole.nullable().openapi({ description: "null for keys, which have scopes" }),
});

const meSchema = z
  .object({
    kind: z.enum(["key", "token", "person", "super_admin", "telegram", "job", "system"]).openapi({
      description: "`token` acts for a team; `person` has a good token and is in no team yet",
    }),
    key: z
      .object({
        id: z.string(),
        name: z.string(),
        prefix: z.string(),
        expires_at: z.string().nullable(),
      })
      .nullable(),
    identity: z
      .object({ issuer: z.string(), subject: z.string(), email: z.string().nullable() })
      .nullable(),
    member_id: z.string().nullable(),
    team: teamSchema.nullable().openapi({ description: "The team that this request acts for" }),
    teams: z
      .array(teamSchema)
      .openapi({ description: "All that can be named in x-team-id; super admins can name any" }),
    scopes: z
      .array(z.enum([...SCOPES, "owner"]))
      .openapi({ description: "What may be done in `team`, with all that `admin` includes" }),
    models: z.array(z.string()),
    end_user: z.string().nullable(),
  })
  .openapi("Me");

const encode = (caller: Caller): z.infer<typeof meSchema> => ({
  kind: caller.kind,
  key: caller.key && {
    id: caller.key.id,
    name: caller.key.name,
    prefix: caller.key.prefix,
    expires_at: caller.key.expiresAt?.toISOString() ?? null,
  },
  identity: caller.identity,
  member_id: caller.member?.id ?? null,
  team: caller.team,
  teams: caller.teams,
  scopes: caller.scopes,
  models: caller.models,
  end_user: caller.endUser,
});

const TEAM = { id: "team_01kajy7z3v8f6q2m9c4t5b1xwr", name: "Acme", role: "member" as const };

const contract = createRoute({
  method: "get",
  path: "/v1/me",
  tags: ["Members"],
  security,
  summary: "Who I am here, in which teams, and what I may do",
  description:
    "For every key and token, also for people who are in no team yet. `x-team-id` chooses among the teams of a token.",
  request: { headers: teamHeader },
  responses: {
    200: jsonResponse("Who asks", meSchema, {
      kind: "token",
      key: null,
      identity: { issuer: "https://login.example.com", subject: "8f2c", email: "ada@example.com" },
      member_id: "mem_01kajy8d5t2w7r9k3n6p1q4zvx",
      team: TEAM,
      teams: [TEAM],
      scopes: ["chat", "sessions", "jobs", "skills", "usage:read"],
      models: ["*"],
      end_user: "8f2c",
    }),
    ...problemResponses,
  },
});

export const meRoutes = createRouter().openapi(contract, async (c) =>
  c.json(encode(await describeCaller(c.get("context"), c.get("bearer"))), 200),
);
