import type { Logger } from "#core/kernel/log.ts";
import type { LeaseDesk, LeaseLog } from "#core/meter/lease-desk.ts";
import { newId } from "#core/kernel/ids.ts";
import { storableRecord } from "#core/usage/storable-record.ts";
import type { UsageBatch, UsageRecord } from "#core/usage/usage-record.ts";

/** Records wait this long for others of their isolate, so that a team's Meter is called at most once a second. */
const GATHER_MS = 1_000;
/** A window that was not closed by then is taken to be dead with the request that opened it. */
const WINDOW_LOST_MS = 5_000;
/** How often one request tries to reach the Meter before it leaves its records to a later request. */
const ATTEMPTS = 15;
/** Records in one batch; about 60 KB. The Meter cuts a batch that turns out larger than a queue message. */
const RECORDS_PER_BATCH = 200;
/** Batches in one call to the Meter, which takes at most 32 MB; records are bounded to about 8 KB each. */
const BATCHES_PER_CALL = 10;
/** With so many waiting, the Meter has been out of reach for long, and the isolate's memory is at stake. */
const WAITING_LIMIT = 60_000;

/** Who takes the records for good, and what became of leases: the Meters. */
export interface UsageSink {
  /** @returns the number of the last entry of the log that is kept for good */
  report(teamId: string, batches: UsageBatch[], log: LeaseLog | null): Promise<number>;
}

interface TeamQueue {
  records: UsageRecord[];
  /** Batches that the Meter has not acknowledged; sent again with the same ids, which it recognises. */
  unacknowledged: UsageBatch[];
  /** When the open window was opened, or 0. Records that come while it is open leave with it. */
  windowSince: number;
}

const windowIsOpen = ({ windowSince }: TeamQueue, now: number) =>
  windowSince > 0 && now - windowSince < WINDOW_LOST_MS;

/**
 * An isolate's usage records on their way to the Meters. It holds plain values only: each timer and call belongs to
 * the request that made it, and when that one dies, a later request sends what it left.
 */
export class UsageReporter {
  private readonly queues = new Map<string, TeamQueue>();
  private readonly meter: UsageSink;
  private readonly leases: LeaseDesk;
  private readonly log: Logger;
  private waiting = 0;

  constructor(meter: UsageSink, leases: LeaseDesk, log: Logger) {
    this.meter = meter;
    this.leases = leases;
    this.log = log;
  }

  /**
   * Takes a record. The promise ends when the Meter has it; give it to `waitUntil`. Null where another request's open
   * window will bring it there.
   */
  report(teamId: string, record: UsageRecord): Promise<void> | null {
    if (this.waiting >= WAITING_LIMIT) {
      // The log is the last place that can keep it.
      this.log.error("usage_dropped", { team_id: teamId, record });
      return null;
    }
    const stored = storableRecord(record);
    const queue = this.queueOf(teamId);
    queue.records.push(stored);
    this.leases.settle(teamId, stored);
    this.waiting++;
    return windowIsOpen(queue, Date.now()) ? null : this.flush(teamId);
  }

  /** Tells the Meter within about a second what there is to tell of this team, until there is nothing left. */
  async flush(teamId: string): Promise<void> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const now = Date.now();
      const queue = this.queueOf(teamId);
      if (windowIsOpen(queue, now)) return;
      queue.windowSince = now;
      await new Promise((resolve) => setTimeout(resolve, GATHER_MS));
      queue.windowSince = 0;
      try {
        await this.send(teamId, queue);
        if (!this.leases.owesWord(teamId)) return;
      } catch (error) {
        this.log.error("usage_report_failed", {
          team_id: teamId,
          attempt,
          waiting: this.waiting,
          error,
        });
      }
    }
  }

  private async send(teamId: string, queue: TeamQueue): Promise<void> {
    const records = queue.records.splice(0);
    for (let start = 0; start < records.length; start += RECORDS_PER_BATCH) {
      queue.unacknowledged.push({
        id: newId("usageBatch"),
        records: records.slice(start, start + RECORDS_PER_BATCH),
      });
    }
    const batches = [...queue.unacknowledged];
    const log = this.leases.log(teamId, Date.now());
    for (let start = 0; start < Math.max(1, batches.length); start += BATCHES_PER_CALL) {
      const part = new Set(batches.slice(start, start + BATCHES_PER_CALL));
      if (part.size === 0 && log === null) break;
      // The log goes with the last records, so that no request is settled whose record is not there.
      const ofLast = start + BATCHES_PER_CALL >= batches.length ? log : null;
      const applied = await this.meter.report(teamId, [...part], ofLast);
      if (ofLast) this.leases.acknowledged(teamId, ofLast, applied);
      queue.unacknowledged = queue.unacknowledged.filter((batch) => {
        if (part.has(batch)) this.waiting -= batch.records.length;
        return !part.has(batch);
      });
    }
    const idle =
      queue.unacknowledged.length === 0 && queue.records.length === 0 && queue.windowSince === 0;
    // Another send may have ended first, and a new queue may stand in this one's place.
    if (idle && this.queues.get(teamId) === queue) this.queues.delete(teamId);
  }

  private queueOf(teamId: string): TeamQueue {
    let queue = this.queues.get(teamId);
    if (!queue) {
      queue = { records: [], unacknowledged: [], windowSince: 0 };
      this.queues.set(teamId, queue);
    }
    return queue;
  }
}
