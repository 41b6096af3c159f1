import type { ApiKey, IssuedKey } from "#core/keys/key.ts";
import { createKey, createKeyInput } from "#core/keys/create-key.ts";
import { deleteKey } from "#core/keys/delete-key.ts";
import { getKey } from "#core/keys/get-key.ts";
import { createdByFilter, listKeys } from "#core/keys/list-keys.ts";
import { revokeKey } from "#core/keys/revoke-key.ts";
import { rotateKey, rotateKeyInput } from "#core/keys/rotate-key.ts";
import { updateKey, updateKeyInput } from "#core/keys/update-key.ts";
import { type KeyFacts, verifyKey } from "#core/keys/verify-key.ts";
import { SCOPES } from "#core/kernel/scopes.ts";
import { presentedKey } from "../middleware/authenticate.ts";
import { emptyBodyAsObject } from "../middleware/empty-body.ts";
import { idempotent } from "../middleware/idempotent.ts";
import {
  createRoute,
  createRouter,
  idempotencyHeader,
  ipRulesSchema,
  jsonBody,
  jsonResponse,
  noContent,
  pageOf,
  pageQuery,
  problemResponses,
  security,
  teamHeader,
  z,
} from "../openapi.ts";
import { encodeLimit, limitSchema } from "../limit-shape.ts";

const scopesSchema = z.array(z.enum(SCOPES));
const metadataSchema = z.record(z.string(), z.unknown());

const keySchema = z
  .object({
    id: z.string(),
    name: z.string(),
    team_id: z.string(),
    prefix: z.string().openapi({ description: "How the secret begins, to recognise it by" }),
    scopes: scopesSchema,
    models: z.array(z.string()),
    metadata: metadataSchema,
    ip_rules: ipRulesSchema,
    enabled: z.boolean(),
    cache: z.object({ ttl_seconds: z.number().int() }).nullable(),
    expires_at: z.string().nullable(),
    revoked_at: z.string().nullable(),
    previous_expires_at: z.string().nullable().openapi({
      description: "When the secret before the last rotation ends or ended; null if there was none",
    }),
    created_by: z.string().nullable().openapi({
      description:
        "Who made it: `key:key_…`, `member:mem_…`, `token:<issuer> <subject>` or `super_admin`; null for keys from before it was kept",
    }),
    created_at: z.string(),
    updated_at: z.string(),
    limits: z.array(limitSchema),
  })
  .openapi("Key");

const issuedKeySchema = keySchema
  .extend({ key: z.string().openapi({ description: "The secret. It is shown this once only" }) })
  .openapi("IssuedKey");

const keyFactsSchema = z
  .object({
    kind: z.enum(["key", "token", "super_admin"]),
    id: z.string().nullable(),
    name: z.string(),
    team_id: z.string().nullable(),
    team: z.object({ id: z.string(), name: z.string() }).nullable(),
    scopes: scopesSchema,
    models: z.array(z.string()),
    metadata: metadataSchema,
    enabled: z.boolean(),
    prefix: z.string().nullable(),
    expires_at: z.string().nullable().openapi({
      description: "When this secret stops to work; after a rotation, the end of its grace",
    }),
    created_at: z.string().nullable(),
  })
  .openapi("KeyFacts");

const time = (date: Date | null) => date?.toISOString() ?? null;

const encodeKey = (key: ApiKey): z.infer<typeof keySchema> => ({
  id: key.id,
  name: key.name,
  team_id: key.teamId,
  prefix: key.prefix,
  scopes: key.scopes,
  models: key.models,
  metadata: key.metadata,
  ip_rules: { allow: key.ipAllow, deny: key.ipDeny },
  enabled: key.enabled,
  cache: key.cacheSeconds === null ? null : { ttl_seconds: key.cacheSeconds },
  expires_at: time(key.expiresAt),
  revoked_at: time(key.revokedAt),
  previous_expires_at: time(key.previousExpiresAt),
  created_by: key.createdBy,
  created_at: key.createdAt.toISOString(),
  updated_at: key.updatedAt.toISOString(),
  limits: key.limits.map(encodeLimit),
});

const encodeIssuedKey = ({ key, secret }: IssuedKey): z.infer<typeof issuedKeySchema> => ({
  ...encodeKey(key),
  key: secret,
});

const encodeKeyFacts = (facts: KeyFacts): z.infer<typeof keyFactsSchema> => ({
  kind: facts.kind,
  id: facts.id,
  name: facts.name,
  team_id: facts.team?.id ?? null,
  team: facts.team,
  scopes: facts.scopes,
  models: facts.models,
  metadata: facts.metadata,
  enabled: facts.enabled,
  prefix: facts.prefix,
  expires_at: time(facts.expiresAt),
  created_at: time(facts.createdAt),
});

const EXAMPLE: z.infer<typeof keySchema> = {
  id: "key_01kajy9r4c6e8s1h3j5m7y0dgb",
  name: "ci",
  team_id: "team_01kajy7z3v8f6q2m9c4t5b1xwr",
  prefix: "sy_live_ab12",
  scopes: ["chat", "usage:read"],
  models: ["*"],
  metadata: { owner: "platform" },
  ip_rules: { allow: ["203.0.113.0/24", "2001:db8::/32"], deny: [] },
  enabled: true,
  cache: null,
  expires_at: null,
  revoked_at: null,
  previous_expires_at: null,
  created_by: "key:key_01kajy8f2w5t7r9q3n6m1k4xzv",
  created_at: "2026-11-21T09:30:00.000Z",
  updated_at: "2026-11-21T09:30:00.000Z",
  limits: [],
};
const ISSUED = { ...EXAMPLE, key: "sy_live_…" };

const keyParam = z.object({
  id: z.string().openapi({ description: "The key's id", example: EXAMPLE.id }),
});

const common = { tags: ["Keys"], security, description: "Needs the scope `admin`." };

const createContract = createRoute({
  ...common,
  method: "post",
  path: "/v1/keys",
  summary: "Create a key",
  description: `${common.description} The secret, \`key\`, is in this answer only. A key cannot give scopes or models that it lacks itself.`,
  request: {
    headers: idempotencyHeader.extend(teamHeader.shape),
    ...jsonBody(createKeyInput, { name: "ci", scopes: ["chat", "usage:read"], models: ["*"] }),
  },
  responses: {
    201: jsonResponse("The key with its secret", issuedKeySchema, ISSUED),
    ...problemResponses,
  },
});

const listContract = createRoute({
  ...common,
  method: "get",
  path: "/v1/keys",
  summary: "List keys",
  description: `${common.description} Revoked and expired keys are among them. Super admins who name no team see the keys of all.`,
  request: {
    headers: teamHeader,
    query: pageQuery.extend({
      team_id: z
        .string()
        .optional()
        .openapi({ description: "Super admins only: keys of one team" }),
      created_by: createdByFilter.openapi({
        description: "Only those that this one made, as `created_by` says it",
      }),
    }),
  },
  responses: {
    200: jsonResponse("Keys, the newest first", pageOf(keySchema), {
      data: [EXAMPLE],
      next_cursor: null,
    }),
    ...problemResponses,
  },
});

const verifyContract = createRoute({
  ...common,
  method: "get",
  path: "/v1/keys/verify",
  summary: "Ask a key about itself",
  description:
    "Any key may ask; one that does not work gets the reason. For a super admin the team is the one in x-team-id, if any.",
  request: { headers: teamHeader },
  responses: {
    200: jsonResponse("What the key is and may do", keyFactsSchema),
    ...problemResponses,
  },
});

const getContract = createRoute({
  ...common,
  method: "get",
  path: "/v1/keys/{id}",
  summary: "Read a key",
  request: { params: keyParam },
  responses: { 200: jsonResponse("The key", keySchema, EXAMPLE), ...problemResponses },
});

const updateContract = createRoute({
  ...common,
  method: "patch",
  path: "/v1/keys/{id}",
  summary: "Change a key",
  description: `${common.description} What is left out stays. It holds everywhere within a second. A revoked key cannot be changed.`,
  request: {
    params: keyParam,
    ...jsonBody(updateKeyInput, { enabled: false, expires_at: null }),
  },
  responses: {
    200: jsonResponse("The key as it is now", keySchema, { ...EXAMPLE, enabled: false }),
    ...problemResponses,
  },
});

const rotateContract = createRoute({
  ...common,
  method: "post",
  path: "/v1/keys/{id}/rotate",
  middleware: emptyBodyAsObject,
  summary: "Give a key a new secret",
  description: `${common.description} The old secret works until \`previous_expires_at\`. A key has two secrets at most: rotating again within the grace ends the one before the old one at once.`,
  request: {
    params: keyParam,
    headers: idempotencyHeader,
    ...jsonBody(rotateKeyInput, { grace_seconds: 3600 }),
  },
  responses: {
    200: jsonResponse("The key with its new secret", issuedKeySchema, {
      ...ISSUED,
      previous_expires_at: "2026-11-21T10:30:00.000Z",
    }),
    ...problemResponses,
  },
});

const revokeContract = createRoute({
  ...common,
  method: "post",
  path: "/v1/keys/{id}/revoke",
  summary: "Revoke a key",
  description: `${common.description} It works nowhere within a second, for good. Its record stays, and revoking it again does nothing.`,
  request: { params: keyParam },
  responses: { 204: noContent("It is revoked"), ...problemResponses },
});

const deleteContract = createRoute({
  ...common,
  method: "delete",
  path: "/v1/keys/{id}",
  summary: "Delete a key",
  description: `${common.description} It works nowhere within a second. Its usage records stay.`,
  request: { params: keyParam },
  responses: { 204: noContent("It is gone"), ...problemResponses },
});

export const keyRoutes = createRouter()
  .openapi(createContract, async (c) => {
    const input = c.req.valid("json");
    const { body } = await idempotent(c, async (context) => ({
      status: 201,
      body: encodeIssuedKey(await createKey(context, input)),
    }));
    return c.json(body, 201);
  })
  .openapi(listContract, async (c) => {
    const page = await listKeys(c.get("context"), c.req.valid("query"));
    return c.json({ data: page.items.map(encodeKey), next_cursor: page.nextCursor }, 200);
  })
  .openapi(verifyContract, async (c) => {
    const facts = await verifyKey(c.get("context"), () => presentedKey(c));
    return c.json(encodeKeyFacts(facts), 200);
  })
  .openapi(getContract, async (c) => {
    const { id } = c.req.valid("param");
    return c.json(encodeKey(await getKey(c.get("context"), { keyId: id })), 200);
  })
  .openapi(updateContract, async (c) => {
    const input = { ...c.req.valid("json"), keyId: c.req.valid("param").id };
    return c.json(encodeKey(await updateKey(c.get("context"), input)), 200);
  })
  .openapi(rotateContract, async (c) => {
    const input = { ...c.req.valid("json"), keyId: c.req.valid("param").id };
    const { body } = await idempotent(c, async (context) => ({
      status: 200,
      body: encodeIssuedKey(await rotateKey(context, input)),
    }));
    return c.json(body, 200);
  })
  .openapi(revokeContract, async (c) => {
    await revokeKey(c.get("context"), { keyId: c.req.valid("param").id });
    return c.body(null, 204);
  })
  .openapi(deleteContract, async (c) => {
    await deleteKey(c.get("context"), { keyId: c.req.valid("param").id });
    return c.body(null, 204);
  });
