import { waitUntil } from "cloudflare:workers";
import type { SecretBox } from "#core/kernel/context.ts";
import type { Logger } from "#core/kernel/log.ts";
import { IssuerKeys } from "#core/identity/issuer-keys.ts";
import { TokenMemory } from "#core/identity/token-memory.ts";
import type { Standing } from "#core/identity/token-standing.ts";
import type { KeyRecord } from "#core/keys/key-record.ts";
import { EpochRing } from "#core/teams/epoch-ring.ts";
import type { AnswerStore } from "#core/response-cache/answer-store.ts";
import { ANSWER_TIMEOUT_MS, createAnswerStore } from "#platform/answer-store.ts";
import type { AnswerFlight } from "#platform/durable-objects/answer-flight.ts";
import type { OpenResponseChain } from "#core/responses/response-store.ts";
import { createResponseClient } from "#platform/response-client.ts";
import type { ResponseChain } from "#platform/durable-objects/response-chain.ts";
import type { FileStore } from "#core/files/file-store.ts";
import { DispatchTurn } from "#core/jobs/dispatch/dispatch-turn.ts";
import { createJobDesk } from "#core/jobs/job-desk.ts";
import { JOB_TYPES } from "#core/jobs/job-types.ts";
import { createJobQueue } from "#platform/job-queue.ts";
import { createContext } from "#platform/context.ts";
import { type Context, noSource } from "#core/kernel/context.ts";
import { newId } from "#core/kernel/ids.ts";
import type { JobDesk } from "#core/jobs/job-ports.ts";
import { createFileStore } from "#platform/file-store.ts";
import type { JobFeed, JobFeedReader } from "#core/jobs/job-feed.ts";
import type { JobFeed as JobFeedObject } from "#platform/durable-objects/job-feed.ts";
import { createJobFeedClient } from "#platform/job-feed-client.ts";
import { type Cache, openCache } from "#platform/cache.ts";
import { createMeterClient, type MeterClient } from "#platform/meter-client.ts";
import type { Meter } from "#platform/durable-objects/meter.ts";
import { consoleLogger } from "#platform/logger.ts";
import { createSecretBox } from "#platform/secret-box.ts";
import {
  apiSettings,
  type ApiSettings,
  readJobSettings,
  readSettings,
} from "#platform/settings.ts";
import { LeaseDesk } from "#core/meter/lease-desk.ts";
import { RailBook } from "#core/guard-rails/rail-book.ts";
import { LimitBook } from "#core/meter/team-standing.ts";
import { UsageReporter } from "#platform/usage-reporter.ts";
import { sha256 } from "#core/kernel/digest.ts";
import { FailedAttempts } from "./failed-attempts.ts";
import { SignalBoard } from "#core/switches/signal-board.ts";
import { BoundedMap } from "#core/kernel/bounded-map.ts";
import { decoderOrder, ServiceDesk } from "#core/vin/services/service-desk.ts";
import type { KeptReport } from "#core/vin/vin-ports.ts";
import type { VinSource } from "#core/vin/vin-report.ts";
import { CatalogCache } from "#core/providers/catalog-cache.ts";
import { CircuitBoard } from "#core/providers/circuits/circuit-board.ts";

/** What the api Worker works with; made once an isolate, from `env`, here and nowhere else. */
export interface Deps {
  settings: ApiSettings;
  log: Logger;
  cache: Cache;
  meter: MeterClient;
  /** Where answers are kept to be given again. */
  answers: AnswerStore;
  secrets: SecretBox;
  keyRing: EpochRing<KeyRecord>;
  /** Keys of the issuers of tokens. */
  issuerKeys: IssuerKeys;
  /** Tokens that were verified here. */
  tokens: TokenMemory;
  /** What their bearers are in their teams. */
  standings: EpochRing<Standing>;
  failedAttempts: FailedAttempts;
  catalog: CatalogCache;
  circuits: CircuitBoard;
  signals: SignalBoard;
  leases: LeaseDesk;
  limits: LimitBook;
  rails: RailBook;
  usage: UsageReporter;
  /** SHA-256 of each super admin key. */
  superAdminHashes: Uint8Array[];
  sessions: ApiEnv["SESSION"];
  /** Where responses of the Responses API are kept. */
  responses: OpenResponseChain;
  schedules: ApiEnv["SCHEDULE_QUEUE"];
  /** Uploads, results of jobs and reports. */
  files: FileStore;
  /** Takes new jobs. */
  jobDesk: JobDesk;
  /** What happens to jobs, for whoever watches. */
  jobFeed: JobFeed & JobFeedReader;
  assets: ApiEnv["ASSETS"];
  /** Reports of VINs, by the key under which the cache has them: about 6 KB each. */
  vinReports: BoundedMap<string, KeptReport>;
  /** Services that read VINs, and how they are. */
  vinDesk: ServiceDesk;
  /** Our own data and the services that are on, in the order in which they are asked. */
  vinOrder: readonly VinSource[];
  /** Models that refused tools, and until when they are offered none; milliseconds since 1970. */
  toolless: BoundedMap<string, number>;
  /** Workers AI; null where the Worker has no such binding, as on a laptop. */
  ai: AiBinding | null;
}

/** What is used of Workers AI's binding, which types its models one by one. */
export interface AiBinding {
  run(
    model: string,
    input: Record<string, unknown>,
    options: { returnRawResponse: true; signal: AbortSignal },
  ): Promise<Response>;
}

const VIN_REPORTS = 500;
const TOOLLESS_MODELS = 500;
/** How long an unknown key stays unknown, in milliseconds. */
const UNKNOWN_KEY_MS = 60_000;
/** Somebody who is in no team may be let in at any moment. */
const UNKNOWN_STANDING_MS = 500;

let made: Deps | null = null;

/**
 * The isolate's dependencies.
 * @throws AppError `misconfigured` when a setting is missing or bad
 */
export function depsOf(env: ApiEnv): Deps | Promise<Deps> {
  // Several first requests may make them at once; each awaits its own promise, and the first one's are kept.
  return made ?? makeDeps(env).then((deps) => (made ??= deps));
}

async function makeDeps(env: ApiEnv): Promise<Deps> {
  const settings = readSettings(apiSettings, env);
  const log = consoleLogger(settings.LOG_LEVEL, "api");
  const leases = new LeaseDesk();
  const meter = createMeterClient(env.METER as DurableObjectNamespace<Meter>);
  const cacheFailed = (operation: string, error: unknown) =>
    log.warn("cache_failed", { operation, error });
  const cache = openCache(settings, cacheFailed);
  const secrets = createSecretBox(settings.MASTER_KEY);
  const answers = createAnswerStore({
    quickCache: openCache(settings, cacheFailed, ANSWER_TIMEOUT_MS),
    cache,
    secrets,
    flights: env.ANSWER_FLIGHT as DurableObjectNamespace<AnswerFlight>,
    log,
  });
  const vinDesk = new ServiceDesk({
    nhtsaUrl: settings.NHTSA_URL,
    autodev:
      settings.AUTODEV_API_KEY === null
        ? null
        : { url: settings.AUTODEV_URL, apiKey: settings.AUTODEV_API_KEY },
  });
  const jobSettings = readJobSettings(settings);
  const jobFeed = createJobFeedClient(env.JOB_FEED as DurableObjectNamespace<JobFeedObject>, log); // wrangler's types leave out the class
  return {
    settings,
    log,
    cache,
    meter,
    answers,
    secrets,
    keyRing: new EpochRing({ of: "key", unknownMs: UNKNOWN_KEY_MS }),
    issuerKeys: new IssuerKeys(),
    tokens: new TokenMemory(),
    standings: new EpochRing({ of: "token", unknownMs: UNKNOWN_STANDING_MS }),
    failedAttempts: new FailedAttempts(env.FAILED_ATTEMPTS),
    catalog: new CatalogCache(),
    circuits: new CircuitBoard(),
    signals: new SignalBoard(),
    leases,
    limits: new LimitBook(),
    rails: new RailBook(),
    usage: new UsageReporter(meter, leases, log),
    superAdminHashes: await Promise.all(settings.SUPER_ADMIN_API_KEYS.map(sha256)),
    sessions: env.SESSION,
    responses: createResponseClient(env.RESPONSE_CHAIN as DurableObjectNamespace<ResponseChain>), // wrangler's types leave out the class
    schedules: env.SCHEDULE_QUEUE,
    files: createFileStore(env.FILES),
    jobDesk: createJobDesk({
      types: JOB_TYPES,
      settings: jobSettings,
      queueAgeLimitSeconds: jobSettings.queueAgeLimitSeconds,
      queue: createJobQueue(env.JOB_QUEUE),
      turn: new DispatchTurn(),
      feed: jobFeed,
      background: waitUntil,
      context: () => systemContext({ settings, log, secrets, meter }),
    }),
    jobFeed,
    assets: env.ASSETS,
    vinReports: new BoundedMap(VIN_REPORTS),
    vinDesk,
    vinOrder: decoderOrder(settings.DEFAULT_DECODER_SERVICE, vinDesk.services),
    toolless: new BoundedMap(TOOLLESS_MODELS),
    ai: (env as ApiEnv & { AI?: AiBinding }).AI ?? null, // bound only where Cloudflare runs the Worker
  };
}

/** Of work that no request does, though one may have asked for it. */
function systemContext(deps: Pick<Deps, "settings" | "log" | "secrets" | "meter">): Context {
  const requestId = newId("request");
  return createContext({
    principal: { kind: "system", teamId: null },
    requestId,
    source: noSource,
    log: deps.log.with({ request_id: requestId }),
    database: deps.settings,
    secrets: deps.secrets,
    epochs: deps.meter,
    announce: () => Promise.resolve(), // it throws no switch
  });
}
