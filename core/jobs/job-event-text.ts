import type { JobEvent } from "./job-feed.ts";

/** How long texts of users' programs may be in one event, in UTF-16 units. */
const MESSAGE_LIMIT = 4_000;
const NAME_LIMIT = 300;

/** A job's event as its watchers get it: one line of JSON. */
export function jobEventText(event: JobEvent): string {
  const common = { job_id: event.jobId, at: new Date(event.at).toISOString() };
  return JSON.stringify({ ...common, ...fieldsOf(event) });
}

function fieldsOf(event: JobEvent): Record<string, unknown> {
  switch (event.kind) {
    case "state":
      return {
        state: event.state,
        waiting_for: event.waitingFor ?? null,
        attempt: event.attempt ?? 0,
        error: cut(event.error ?? null),
      };
    case "progress":
      return { done: event.done, total: event.total, message: cut(event.message) };
    case "step":
      return {
        name: event.name.slice(0, NAME_LIMIT),
        state: event.state,
        error: cut(event.error ?? null),
      };
    case "log":
      return { message: cut(event.message) };
    case "result":
      return {
        name: event.name.slice(0, NAME_LIMIT),
        content_type: event.contentType.slice(0, NAME_LIMIT),
        size: event.size,
        url: event.url,
      };
  }
}

function cut<Text extends string | null>(text: Text): Text | string {
  return text !== null && text.length > MESSAGE_LIMIT ? `${text.slice(0, MESSAGE_LIMIT)}…` : text;
}
