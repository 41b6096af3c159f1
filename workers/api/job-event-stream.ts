import { getJob } from "#core/jobs/get-job.ts";
import { hasEnded, reachJob } from "#core/jobs/job.ts";
import type { OpenFeed } from "#core/jobs/job-feed.ts";
import { countJobs, listJobs } from "#core/jobs/list-jobs.ts";
import { AppError } from "#core/kernel/errors.ts";
import { requireScope, requireTeam, seesSessionsOf } from "#core/kernel/principal.ts";
import type { AppContext } from "./app-types.ts";
import { encodeJob, encodeJobSummary } from "./job-shape.ts";

/** After a break the client comes again so soon, in milliseconds. */
const RETRY_MS = 1_000;
/** Jobs that a snapshot of a team holds at most. */
const SNAPSHOT_JOBS = 200;

/** What a client has seen already: the number of an event, and whether that was the last of its job. */
interface Seen {
  number: number;
  end: boolean;
}

/**
 * A job as it is and what happens to it, until it is over. The feed is followed before the job is read, so that nothing
 * falls between them; while it is open, nobody asks Postgres.
 */
export async function streamJob(c: AppContext, jobId: string): Promise<Response> {
  const context = c.get("context");
  const seen = seenBy(c);
  const reached = await reachJob(context, jobId);
  const snapshot = async (number: number) => {
    const job = await getJob(context, { jobId });
    const over = hasEnded(job.state);
    return { over, text: eventText(over ? `${number}-end` : String(number), encodeJob(job)) };
  };
  if (hasEnded(reached.state)) {
    // A browser's EventSource comes again after each end, until it gets this.
    if (seen?.end) return new Response(null, { status: 204 });
    return eventResponse(null, (await snapshot(nowNumber())).text);
  }
  const start = { jobId, after: seen?.number ?? null };
  const feed = await c.get("deps").jobFeed.follow(reached.teamId, start);
  const { over, text } = await snapshot(feed.position);
  if (over) {
    await feed.body.cancel();
    return eventResponse(null, text);
  }
  return eventResponse(c, feed.complete ? "" : text, feed, async () => {
    const last = await snapshot(nowNumber());
    return last.text;
  });
}

/** What happens to all jobs of a team, for dashboards. It has no end. */
export async function streamTeam(c: AppContext): Promise<Response> {
  const context = c.get("context");
  const { principal } = context;
  requireScope(principal, "jobs");
  const teamId = requireTeam(principal);
  if (seesSessionsOf(principal) !== null)
    throw new AppError("forbidden", {
      message: "You see your own jobs only. Watch one of them by GET /v1/jobs/{id}/events.",
    });
  const start = { jobId: null, after: seenBy(c)?.number ?? null };
  const feed = await c.get("deps").jobFeed.follow(teamId, start);
  if (feed.complete) return eventResponse(c, "", feed);
  const states = ["queued", "scheduled", "running", "retrying"] as const;
  const [counts, open] = await Promise.all([
    countJobs(context, {}),
    listJobs(context, { limit: SNAPSHOT_JOBS, states }),
  ]);
  const snapshot = {
    counts,
    jobs: open.items.map(encodeJobSummary),
    next_cursor: open.nextCursor,
  };
  return eventResponse(c, eventText(String(feed.position), snapshot), feed);
}

/**
 * `Last-Event-ID` as browsers send it again; `?cursor` for the first request of those who kept one.
 * @throws AppError `invalid_request` for a cursor that no event had
 */
function seenBy(c: AppContext): Seen | null {
  const own = readSeen(c.req.header("last-event-id"));
  if (own) return own;
  const cursor = c.req.query("cursor");
  const given = readSeen(cursor);
  if (given || cursor === undefined || cursor === "") return given;
  throw new AppError("invalid_request", {
    message: "cursor is not the id of an event. Start again without it.",
    param: "cursor",
  });
}

function readSeen(text: string | undefined): Seen | null {
  const match = /^(\d{1,16})(-end)?$/.exec(text ?? "");
  if (!match) return null;
  const number = Number(match[1]);
  return Number.isSafeInteger(number) ? { number, end: match[2] !== undefined } : null;
}

/** Events have such numbers (see FeedLog); this one is later than all so far. */
function nowNumber(): number {
  return Date.now() * 1_000;
}

function eventText(id: string, data: unknown): string {
  return `id: ${id}\nevent: snapshot\ndata: ${JSON.stringify(data)}\n\n`;
}

const HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store",
  "x-accel-buffering": "no",
};

/**
 * First this text, then the feed as it comes, then what `last` gives. A feed that breaks off breaks the answer off:
 * its client comes again with what it has seen.
 */
function eventResponse(
  c: AppContext | null,
  first: string,
  feed?: OpenFeed,
  last?: () => Promise<string>,
): Response {
  const head = `retry: ${RETRY_MS}\n\n${first}`;
  if (!c || !feed) return new Response(head, { headers: HEADERS });
  const { readable, writable } = new IdentityTransformStream();
  c.executionCtx.waitUntil(relay(writable, { head, feed, last }).catch(() => undefined)); // the client is gone, or comes again
  return new Response(readable, { headers: HEADERS });
}

interface Relayed {
  head: string;
  feed: OpenFeed;
  last: (() => Promise<string>) | undefined;
}

async function relay(
  writable: WritableStream<Uint8Array>,
  { head, feed, last }: Relayed,
): Promise<void> {
  const encoder = new TextEncoder();
  const write = async (text: string) => {
    const writer = writable.getWriter();
    try {
      await writer.write(encoder.encode(text));
    } finally {
      writer.releaseLock();
    }
  };
  try {
    await write(head);
    await feed.body.pipeTo(writable, { preventClose: true });
    if (last) await write(await last());
    await writable.close();
  } catch (error) {
    await feed.body.cancel().catch(() => undefined); // it may have ended, or be the one that broke
    await writable.abort(error).catch(() => undefined); // as above
  }
}
