import pg from "pg";
import { eventually } from "#test/harness/eventually.ts";
import type { Stack } from "#test/harness/stack.ts";

/** The lock at which held writes wait; nothing of ours takes one of this class. */
const LOCK_CLASS = 4711;

/** The write of a step at which a job is held: it is in the middle of its commit, and nobody can see it yet. */
export interface StepWrite {
  step: string;
  /** Which chunk of it, from 1; 0 for a step that has none. */
  chunk: number;
}

/**
 * Lets a test hold jobs exactly between two commits, by a trigger that waits for a lock of the test's, and counts the
 * writes of steps that were committed.
 */
export class StepHolder {
  private readonly stack: Pick<Stack, "sql">;
  private readonly holder: pg.Client;

  private constructor(stack: Pick<Stack, "sql">, holder: pg.Client) {
    this.stack = stack;
    this.holder = holder;
  }

  static async open(stack: Pick<Stack, "sql" | "databaseUrl">): Promise<StepHolder> {
    await stack.sql(`
      CREATE TABLE held_writes (team_id text, step text, chunk integer);
      CREATE TABLE committed_writes (job_id text, step text, chunk integer, state text);
      CREATE FUNCTION hold_step() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF EXISTS (
          SELECT 1 FROM held_writes JOIN jobs USING (team_id)
          WHERE jobs.id = NEW.job_id AND held_writes.step = NEW.name AND chunk = NEW.count
        ) THEN PERFORM pg_advisory_xact_lock_shared(${LOCK_CLASS}, 1); END IF;
        INSERT INTO committed_writes VALUES (NEW.job_id, NEW.name, NEW.count, NEW.state);
        RETURN NEW;
      END $$;
      CREATE TRIGGER hold_step BEFORE INSERT OR UPDATE ON job_steps FOR EACH ROW EXECUTE FUNCTION hold_step()`);
    const holder = new pg.Client({ connectionString: stack.databaseUrl });
    holder.on("error", () => undefined); // the database goes first
    await holder.connect();
    await holder.query("SELECT pg_advisory_lock($1, 1)", [LOCK_CLASS]);
    return new StepHolder(stack, holder);
  }

  /** From now on, the next write of this kind of a job of the team waits. */
  async hold(teamId: string, { step, chunk }: StepWrite): Promise<void> {
    await this.stack.sql("INSERT INTO held_writes VALUES ($1, $2, $3)", [teamId, step, chunk]);
  }

  /** Waits until a job is held. */
  async reached(): Promise<void> {
    await eventually(async () => {
      if ((await this.waiting()).length === 0) throw new Error("No job is held yet");
    }, 120_000);
  }

  /** Ends the sessions that are held, as those of a dead client end: what they had not committed is gone. */
  async cutOff(): Promise<void> {
    await this.stack.sql("DELETE FROM held_writes");
    for (const pid of await this.waiting())
      await this.stack.sql("SELECT pg_terminate_backend($1)", [pid]);
    await eventually(async () => {
      if ((await this.waiting()).length > 0) throw new Error("A session is still held");
    });
  }

  /** What was committed of the steps of a job, in order. */
  committed(jobId: string) {
    return this.stack.sql<{ step: string; chunk: number; state: string }>(
      "SELECT step, chunk, state FROM committed_writes WHERE job_id = $1 ORDER BY ctid",
      [jobId],
    );
  }

  async close(): Promise<void> {
    await this.holder.end();
  }

  private async waiting(): Promise<number[]> {
    const rows = await this.stack.sql<{ pid: number }>(
      `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = $1 AND NOT granted
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      [LOCK_CLASS],
    );
    return rows.map(({ pid }) => pid);
  }
}
