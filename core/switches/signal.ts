import { switchboard } from "#schema";
import type { Database } from "../kernel/context.ts";

/**
 * What every isolate has to know within a second: what is switched off, and which catalog is the latest. Plain values,
 * so that it can be cached anywhere.
 */
export interface Signal {
  /** When Postgres was asked, in milliseconds since 1970: it was true then, and nothing is known of later. */
  at: number;
  version: number;
  catalogVersion: number;
  /** Milliseconds since 1970; null: the bot is on. */
  botOffAt: number | null;
  writesOff: boolean;
  providersOff: string[];
  teamsOff: string[];
}

/** Reads the one row there is. */
export async function loadSignal(db: Database, now: number): Promise<Signal> {
  const [row] = await db.select().from(switchboard);
  if (!row) throw new Error("The switchboard has no row; its migration makes it.");
  return toSignal(row, now);
}

/** @param at when the row was asked for */
export function toSignal(row: typeof switchboard.$inferSelect, at: number): Signal {
  const { version, catalogVersion, botOffAt, writesOff, providersOff, teamsOff } = row;
  return {
    at,
    version,
    catalogVersion,
    botOffAt: botOffAt?.getTime() ?? null,
    writesOff,
    providersOff,
    teamsOff,
  };
}
