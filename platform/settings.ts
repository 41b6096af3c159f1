import { z } from "zod";
import { AppError } from "#core/kernel/errors.ts";
import { addressFault } from "#core/kernel/public-address.ts";
import { issuerAddressFault, issuerRules } from "#core/identity/oidc-issuer.ts";
import type { JobSettings } from "#core/jobs/job-settings.ts";
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

const NHTSA = "https://vpic.nhtsa.dot.gov/api/vehicles";

const decoderSettings = {
  /** Who reads VINs first; the others are asked where that is not enough. See docs/vin.md. */
  DEFAULT_DECODER_SERVICE: z
    .enum(["", "offline", "nhtsa", "autodev"])
    .default("")
    .transform((value) => value || "offline"),
  /** Switches auto.dev on. */
  AUTODEV_API_KEY: optionalText,
  AUTODEV_URL: optionalUrl.transform((value) => value ?? "https://api.auto.dev"),
  /** NHTSA's vPIC; `off` asks it nothing. */
  NHTSA_URL: z
    .union([
      z.literal("off").transform(() => null),
      optionalUrl.transform((value) => value ?? NHTSA),
    ])
    .default(NHTSA),
};

/** How jobs are worked; the api Worker lets them in, the cron Worker works them. */
export const jobSettings = {
  /** Jobs that run at once: of all teams, and of one. */
  JOB_CAPACITY: z.coerce.number().int().min(1).max(250).default(50),
  JOB_TEAM_CAPACITY: z.coerce.number().int().min(1).max(250).default(25),
  /** A process that has not been heard of for so long is dead, and its job goes on in another. */
  JOB_LEASE_SECONDS: z.coerce.number().min(1).max(600).default(30),
  /** After so long a job goes on in a new message; a single step may take twice that. Queues allow 15 minutes. */
  JOB_SLICE_SECONDS: z.coerce.number().min(0.01).max(400).default(240),
  /** While jobs wait for longer, /ready says so and none of low priority is taken. */
  JOB_QUEUE_AGE_SECONDS: z.coerce.number().min(1).max(86_400).default(300),
};

/** The settings of jobs as core knows them. */
export function readJobSettings(settings: {
  [Name in keyof typeof jobSettings]: z.output<(typeof jobSettings)[Name]>;
}): JobSettings {
  return {
    capacity: settings.JOB_CAPACITY,
    teamCapacity: settings.JOB_TEAM_CAPACITY,
    leaseSeconds: settings.JOB_LEASE_SECONDS,
    sliceSeconds: settings.JOB_SLICE_SECONDS,
    stepSeconds: 2 * settings.JOB_SLICE_SECONDS,
    queueAgeLimitSeconds: settings.JOB_QUEUE_AGE_SECONDS,
  };
}

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
    ...jobSettings,
    ...decoderSettings,
  })
  .superRefine((settings, check) => {
    const { OIDC_ISSUERS, ALLOW_PRIVATE_UPSTREAMS } = settings;
    for (const { name, message } of decoderFaults(settings))
      check.addIssue({ code: "custom", path: [name], message });
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
  /** Development only: callbacks to private addresses. */
  ALLOW_PRIVATE_UPSTREAMS: flag,
  ...scheduleSettings,
  ...jobSettings,
  /** Development only: jobs go on when their message is acknowledged, since the local queue delivers one at a time. */
  JOB_IN_BACKGROUND: flag,
  /** Days that single usage records are kept; their hourly sums stay. */
  USAGE_RETENTION_DAYS: z.coerce.number().int().min(1).max(3650).default(90),
  /** Days that reports and other files of jobs are kept. */
  RESULT_DAYS: z.coerce.number().min(0.01).max(3650).default(90),
  /** Days that jobs are kept after their end; one that has files for as long as these. */
  JOB_RETENTION_DAYS: z.coerce.number().min(0.01).max(3650).default(30),
  /** As the api Worker has it; the index of sessions is cleaned by it. */
  SESSION_IDLE_DAYS: sessionSettings.SESSION_IDLE_DAYS,
});
export type CronSettings = z.output<typeof cronSettings>;

/** What is wrong with where VINs are sent to. */
function decoderFaults(
  settings: z.output<z.ZodObject<typeof decoderSettings>> & { ALLOW_PRIVATE_UPSTREAMS: boolean },
): { name: string; message: string }[] {
  const { DEFAULT_DECODER_SERVICE: first, AUTODEV_API_KEY, ALLOW_PRIVATE_UPSTREAMS } = settings;
  const faults = (["NHTSA_URL", "AUTODEV_URL"] as const).flatMap((name) => {
    const fault =
      settings[name] === null
        ? null
        : addressFault(settings[name], { allowPrivate: ALLOW_PRIVATE_UPSTREAMS });
    return fault === null ? [] : [{ name, message: fault.message }];
  });
  const off =
    first === "nhtsa"
      ? settings.NHTSA_URL === null
      : first === "autodev" && AUTODEV_API_KEY === null;
  if (!off) return faults;
  const message =
    first === "nhtsa"
      ? "is nhtsa, which NHTSA_URL switches off"
      : "is autodev, which needs AUTODEV_API_KEY";
  return [...faults, { name: "DEFAULT_DECODER_SERVICE", message }];
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** What was read of an isolate's `env`, which never changes in its life, and is the same object in each invocation. */
const read = new WeakMap<object, WeakMap<z.ZodObject, object>>();

/**
 * Checks a Worker's settings, once an isolate, so that what hangs on them is made once as well.
 * @throws AppError `misconfigured`, with a sentence that names each setting at fault and never its value
 */
export function readSettings<S extends z.ZodObject>(schema: S, env: object): z.output<S> {
  const known = read.get(env)?.get(schema);
  if (known) return known as z.output<S>; // what this very schema made of it
  const settings = checkSettings(schema, env);
  const ofEnv = read.get(env) ?? new WeakMap<z.ZodObject, object>();
  read.set(env, ofEnv.set(schema, settings));
  return settings;
}

function checkSettings<S extends z.ZodObject>(schema: S, env: object): z.output<S> {
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
