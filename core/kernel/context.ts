import type { PgDatabase, PgQueryResultHKT } from "drizzle-orm/pg-core";
import type * as schema from "#schema";
import type { Signal } from "../switches/signal.ts";
import type { Logger } from "./log.ts";
import type { Principal } from "./principal.ts";

/** Postgres as the verbs see it: a connection or a transaction, whichever they were given. */
export type Database = PgDatabase<PgQueryResultHKT, typeof schema>;

/** Encrypts what must be read again, such as a provider's key. */
export interface SecretBox {
  /** AES-GCM under MASTER_KEY; `purpose` is bound in, so a value cannot be moved to another column. */
  seal(plain: string, purpose: string): Promise<string>;
  /** @throws Error when the value was not sealed under this key and purpose */
  open(sealed: string, purpose: string): Promise<string>;
}

/** Carries a team's epoch to everybody who holds what was true under an older one. */
export interface EpochAnnouncer {
  /** Before the change: should this process die in the middle, the Meter looks the epoch up by itself. */
  expectChange(teamId: string): Promise<void>;
  /** After the change is committed. Never lowers an epoch. */
  raise(teamId: string, epoch: number): Promise<void>;
}

/** Where a request came from, as the audit log tells it. */
export interface RequestSource {
  /** As the platform saw it; null for what came from inside. */
  ip: string | null;
  userAgent: string | null;
  /** Of the W3C trace. */
  traceId: string | null;
}

/** Of what no request asked for: schedules, queues, the bot's own work. */
export const noSource = (): RequestSource => ({ ip: null, userAgent: null, traceId: null });

/** Everything that a verb may use. One context serves one request, one message or one run. */
export interface Context {
  principal: Principal;
  /** Our own `req_` id. */
  requestId: string;
  /** Asked for only where it is told, so that requests which change nothing pay nothing for it. */
  source(): RequestSource;
  log: Logger;
  now(): Date;
  db: Database;
  /** Runs the work in one transaction; inside another transaction it joins that one. */
  transaction<T>(work: (context: TransactionContext) => Promise<T>): Promise<T>;
  /** Runs once the outermost transaction is committed, before `transaction` returns; outside one, at once. */
  afterCommit(action: () => Promise<void>): Promise<void>;
  secrets: SecretBox;
  epochs: EpochAnnouncer;
  /** Tells what every isolate has to know within a second; see changeSignal. Call it after the commit. */
  announce(signal: Signal): Promise<void>;
}

/** A context within a transaction: what is written through it is there as a whole or not at all. */
export interface TransactionContext extends Context {
  readonly inTransaction: true;
  /** Whether any statement was run in it so far. */
  isUsed(): boolean;
}
