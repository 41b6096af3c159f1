/**
 * Stands in every header, page and field of this provider that a gateway must keep to itself: whoever finds it in an
 * answer has found a leak.
 */
export const LEAK_MARK = "leaked-from-the-provider";

/** Where a streamed answer's usage is. `asked`: in a chunk of its own, if `stream_options.include_usage` asks for it. */
export type UsagePlace =
  | "asked"
  | "always"
  | "never"
  | "null_each"
  | "last_content"
  | "every_chunk";

/** How an answer ends, after `stopAfter` events where that is given. */
export type Ending =
  /** As it should: all events and `[DONE]`. */
  | "complete"
  /** All events, and a clean end of HTTP without `[DONE]`. */
  | "without_done"
  /** All events and `[DONE]`, but the connection stays open. */
  | "open"
  /** A clean end of HTTP in the middle. */
  | "clean_cut"
  /** Half of the next event (or of the JSON), then a clean end of HTTP. */
  | "half_event"
  /** The connection is closed in the middle: half of a chunk is missing. */
  | "cut"
  /** The connection is reset in the middle. */
  | "reset"
  /** Nothing more comes, and the connection stays open. */
  | "silence"
  /** An event with an `error`, then a clean end. */
  | "error_event"
  /** The same, but the chunk's other fields come first, and a `finish_reason` is in it, as some aggregators send it. */
  | "error_in_chunk"
  /** An event of the name `error`, whose data has no `error` field. */
  | "named_error_event";

/** What a request gets instead of a good answer. Every field may be combined with the others. */
export interface Fault {
  /** Instead of an answer: the connection is closed or reset, or nothing ever comes. */
  connection?: "close" | "reset" | "hang";
  /** Milliseconds until the first byte of the answer. */
  firstByteDelayMs?: number;
  status?: number;
  headers?: Record<string, string>;
  contentType?: string;
  /** The body instead of the protocol's. For a status of 400 and more it is OpenAI's error body by default. */
  body?: string;
  /** Sends the answer's head and never ends its body. */
  endlessBody?: boolean;
  gzip?: boolean;
  /** What the model writes, a piece an event. */
  pieces?: string[];
  finishReason?: string;
  /** Tools that the model calls, after it has written its pieces where they are given. */
  toolCalls?: { id?: string; name: string; arguments: string }[];
  /** Milliseconds between two events. */
  eventDelayMs?: number;
  /** Writes pieces of that many bytes, each on its own. */
  splitBytes?: number;
  /** What ends a line; some servers send CRLF. */
  lineEnd?: "\n" | "\r\n";
  /** Comments between the events, as proxies send them to keep a connection alive. */
  comments?: boolean;
  usage?: UsagePlace;
  /** How many events with content come before the ending. */
  stopAfter?: number;
  ending?: Ending;
}

const HTML = `<!doctype html><html><head><title>502 Bad Gateway</title></head><body>nginx ${LEAK_MARK}</body></html>`;

/** Faults by name: ask for one by the model `fault/NAME`, or by `"x_fault": "NAME"` in the body of a request. */
export const NAMED_FAULTS = {
  none: {},
  "slow-first-byte": { firstByteDelayMs: 400 },
  "slow-events": { eventDelayMs: 100 },
  burst: { pieces: Array.from({ length: 200 }, (_, index) => ` ${index}`) },
  "html-200": { status: 200, contentType: "text/html", body: HTML },
  "html-502": { status: 502, contentType: "text/html", body: HTML },
  "status-400": { status: 400 },
  "status-401": { status: 401 },
  "status-403": { status: 403 },
  "status-404": { status: 404 },
  "status-408": { status: 408 },
  "status-422": { status: 422 },
  "status-429": { status: 429, headers: { "retry-after": "7" } },
  "status-500": { status: 500 },
  "status-503": { status: 503, headers: { "retry-after": "2" } },
  "error-without-end": { status: 500, endlessBody: true },
  "truncated-json": { ending: "half_event" },
  cut: { stopAfter: 2, ending: "cut" },
  reset: { stopAfter: 2, ending: "reset" },
  "clean-cut": { stopAfter: 2, ending: "clean_cut" },
  "half-event": { stopAfter: 2, ending: "half_event" },
  "without-done": { ending: "without_done" },
  "open-after-done": { ending: "open" },
  "cut-after-finish": { ending: "cut" },
  silence: { stopAfter: 2, ending: "silence" },
  "error-event": { stopAfter: 2, ending: "error_event" },
  "error-in-chunk": { stopAfter: 2, ending: "error_in_chunk" },
  "named-error-event": { stopAfter: 2, ending: "named_error_event" },
  "empty-finish-reason": { stopAfter: 2, ending: "clean_cut", finishReason: "" },
  "no-usage": { usage: "never" },
  "usage-null": { usage: "null_each" },
  "usage-last-content": { usage: "last_content" },
  "usage-every-chunk": { usage: "every_chunk" },
  "usage-always": { usage: "always" },
  "split-bytes": { splitBytes: 7, pieces: ["Grüße, ", "سلام ", "👋🏽 ", "done"] },
  crlf: { lineEnd: "\r\n" },
  comments: { comments: true },
  giant: { pieces: ["x".repeat(2_000_000)] },
  "over-giant": { pieces: ["begins", "x".repeat(17_000_000), "ends"] },
  hang: { connection: "hang" },
  close: { connection: "close" },
  "reset-on-connect": { connection: "reset" },
  redirect: { status: 302, headers: { location: `http://127.0.0.1:9/${LEAK_MARK}` }, body: "" },
  "wrong-content-type": { contentType: "application/octet-stream" },
  gzip: { gzip: true },
  cookies: { headers: { "set-cookie": `session=${LEAK_MARK}; HttpOnly` } },
} as const satisfies Record<string, Fault>;

export type FaultName = keyof typeof NAMED_FAULTS;

/** @throws Error for a name that is none, so that a test that misspells one does not pass */
export function faultOfName(name: string): Fault {
  if (Object.hasOwn(NAMED_FAULTS, name)) return NAMED_FAULTS[name as FaultName]; // an own key, as checked
  throw new Error(`There is no fault of the name ${name}`);
}
