import { AppError } from "#core/kernel/errors.ts";
import type { Logger } from "#core/kernel/log.ts";
import { within } from "#core/kernel/within.ts";
import type { FeedStart, JobFeed, JobFeedReader, OpenFeed } from "#core/jobs/job-feed.ts";
import type { JobFeed as JobFeedObject } from "./durable-objects/job-feed.ts";

/** Nobody waits long for news to be told: the work itself goes on. In milliseconds. */
const PUBLISH_MS = 5_000;
const FOLLOW_MS = 10_000;
/** Over the time that was asked for. */
const MARGIN_MS = 2_000;

/** The feeds of jobs as a Worker sees them: one for each team, found by the team's id. */
export function createJobFeedClient(
  namespace: DurableObjectNamespace<JobFeedObject>,
  log: Logger,
): JobFeed & JobFeedReader {
  const of = (teamId: string) => namespace.get(namespace.idFromName(teamId));
  return {
    async publish(teamId, events) {
      if (events.length === 0) return;
      try {
        await within(PUBLISH_MS, of(teamId).publish(events));
      } catch (error) {
        log.warn("job_events_not_told", { team_id: teamId, events: events.length, error });
      }
    },
    async follow(teamId, start, signal) {
      const response = await reach(of(teamId), start, signal);
      if (response.status === 200 && response.body) return openFeed(response, response.body);
      throw unavailable("Too many are watching this team's jobs. Try again later.");
    },
    async awaitEnd(teamId, jobId, milliseconds) {
      try {
        return await within(milliseconds + MARGIN_MS, of(teamId).awaitEnd(jobId, milliseconds));
      } catch (error) {
        log.warn("job_end_not_awaited", { team_id: teamId, job_id: jobId, error });
        return false;
      }
    },
  };
}

async function reach(
  stub: DurableObjectStub<JobFeedObject>,
  start: FeedStart,
  signal: AbortSignal | undefined,
): Promise<Response> {
  const init = { method: "POST", body: JSON.stringify(start), ...(signal ? { signal } : {}) };
  try {
    return await within(FOLLOW_MS, stub.fetch("https://job-feed/", init));
  } catch (cause) {
    throw unavailable(
      "The feed of jobs cannot be reached right now. Try again in a moment.",
      cause,
    );
  }
}

function openFeed({ headers }: Response, body: ReadableStream<Uint8Array>): OpenFeed {
  return {
    body,
    complete: headers.get("x-complete") === "true",
    position: Number(headers.get("x-position")),
  };
}

function unavailable(message: string, cause?: unknown): AppError {
  return new AppError("unavailable", { message, retryAfterSeconds: 1, cause });
}
