import { z } from "zod";
import { AppError } from "#core/kernel/errors.ts";
import { issuerAddressFault, issuerRules } from "#core/identity/oidc-issuer.ts";
import { LOG_LEVELS } from "#core/kernel/log.ts";

const flag = z
  .enum(["", "0", "1", "on", "off", "true", "false"])
  .default("")
  .transform((value) => ["1", "on", "true"].includes(value));
const list = z
  .string()
  .default("")
  .transform((value) =>
    value
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== ""),
  );
const optionalUrl = z
  .union([z.literal(""), z.url({ protocol: /^https?$/ })])
  .default("")
  .transform((value) => value.replace(/\/+$/, "") || null);
const optionalText = z
  .string()
  .default("")
  .transform((value) => value.trim() || null);

/** 32 bytes in base64. */
const masterKey = z
  .string()
  .regex(
    /^[A-Za-z0-9+/]{43}=$/,
    "must be 32 random bytes in base64, such as `openssl rand -base64 32` prints",
  );

/** What every Worker needs to reach the database and to log. */
export const databaseSettings = {
  DATABASE_URL: z
    .string()
    .regex(
      /^postgres(ql)?:\/\/.+/,
      "must be a Postgres URL, such as postgresql://user:password@host/name",
    ),
  /** Development only: where the local stand-in of Neon's proxy listens, as host:port. */
  NEON_LOCAL_PROXY: optionalText,
  LOG_LEVEL: z.enum(LOG_LEVELS).default("info"),
};

export const cacheSettings = {
  UPSTASH_REDIS_REST_URL: z.url({ protocol: /^https?$/ }),
  UPSTASH_REDIS_REST_TOKEN: z.string().min(1),
};

export const sessionSettings = {
  /** Days after which an unused session erases itself; fractions are fine. */
  SESSION_IDLE_DAYS: z.coerce.number().positive().max(3650).default(30),
  /** For how long a session waits for a turn that nobody renews; running turns renew it each third of that. */
  SESSION_TURN_LEASE_SECONDS: z.coerce.number().min(0.5).max(600).default(60),
};

export const responseSettings = {
  /** Days that answers of POST /v1/responses are kept, unless the request says `store: false`; 0 keeps none. */
  RESPONSE_DAYS: z.coerce.number().min(0).max(3650).default(30),
};

export const meterSettings = {
  /** After how long a Meter sends a batch again that nobody has confirmed; longer each time. */
  USAGE_RESEND_SECONDS: z.coerce.number().min(1).max(3600).default(60),
};

export const scheduleSettings = {
  /** An IANA name; daily schedules run by its clock. */
  TIME_ZONE: z
    .string()
    .default("UTC")
    .refine(isTimeZone, "must be an IANA time zone, such as Europe/Berlin"),
};

/** Settings of the api Worker. */
export const apiSettings = z
  .object({
    ...databaseSettings,
    ...cacheSettings,
    SUPER_ADMIN_API_KEYS: list.refine(
      (keys) => keys.every((key) => key.length >= 16),
      "each key must have at least 16 characters",
    ),
    MASTER_KEY: masterKey,
    AI_SERVICE_URL: optionalUrl,
    AI_SERVICE_API_KEY: optionalText,
    /** Names of models at AI_SERVICE_URL; the first is the default. Empty: whatever the service lists. */
    AI_SERVICE_MODEL: list,
    /** JSON: whose tokens are taken, and what they open; see docs/identity.md. */
    OIDC_ISSUERS: issuerRules,
    ALLOWED_ORIGINS: list,
    PUBLIC_URL: optionalUrl,
    ALLOW_PRIVATE_UPSTREAMS: flag,
    GUEST_ACCESS: flag,
    ...scheduleSettings,
    ...sessionSettings,
    ...responseSettings,
  })
  .superRefine(({ OIDC_ISSUERS, ALLOW_PRIVATE_UPSTREAMS }, check) => {
    for (const { issuer } of OIDC_ISSUERS) {
      const fault = issuerAddressFault(issuer, ALLOW_PRIVATE_UPSTREAMS);
      if (fault !== null)
        check.addIssue({ code: "custom", path: ["OIDC_ISSUERS"], message: `${issuer} ${fault}` });
    }
  });
export type ApiSettings = z.output<typeof apiSettings>;

/** Settings of the cron Worker. */
export const cronSettings = z.object({
  ...databaseSettings,
  ...cacheSettings,
  AI_SERVICE_URL: optionalUrl,
  AI_SERVICE_API_KEY: optionalText,
  ...scheduleSettings,
  /** Days that single usage records are kept; their hourly sums stay. */
  USAGE_RETENTION_DAYS: z.coerce.number().int().min(1).max(3650).default(90),
});
export type CronSettings = z.output<typeof cronSettings>;

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/**
 * Checks a Worker's settings.
 * @throws AppError `misconfigured`, with a sentence that names each setting at fault and never its value
 */
export function readSettings<S extends z.ZodObject>(schema: S, env: object): z.output<S> {
  const result = schema.safeParse(env);
  if (result.success) return result.data;
  const faults = result.error.issues.map((issue) => {
    const name = issue.path.join(".");
    const missing = !(name in env);
    return missing ? `${name} is not set` : `${name}: ${issue.message}`;
  });
  throw new AppError("misconfigured", {
    message: `The Worker's settings need attention: ${faults.join("; ")}.`,
  });
}
