/**
 * The answers of the bench's model provider, built once. A body is what a party must hand on;
 * a message is the whole HTTP answer as bytes, ready to be written.
 */

/** Names of models, by which a request picks the way its stream arrives. */
export const models = {
  /** The whole stream in one write, as fast as the socket takes it. */
  burst: "bench-burst",
  /** One write for each event, without a pause. */
  writes: "bench-writes",
  /** One event each `pacedIntervalMs`, as a model would. */
  paced: "bench-paced",
} as const;

export type ModelName = (typeof models)[keyof typeof models];

export const pacedIntervalMs = 5;
/** Events of a stream that carry a choice: the role, the words, the finish reason. `[DONE]` is not counted. */
export const streamEvents = 200;

const created = 1_795_000_000;
const id = "chatcmpl-bench0000000000000000000";
const usage = { prompt_tokens: 19, completion_tokens: 198, total_tokens: 217 };

/** About 600 bytes of JSON together with its frame, as a short real answer has. */
export const completionText =
  "The yard was quiet. A goods train waited at the third signal while its crew changed, and the night " +
  "shift set the points for the morning express, which would come through at ten past five without a stop.";

const words = Array.from({ length: streamEvents - 2 }, (_, index) => ` word${index % 10}`);
export const streamText = words.join("");

export const completionBody = JSON.stringify({
  id,
  object: "chat.completion",
  created,
  model: "bench",
  choices: [
    {
      index: 0,
      message: { role: "assistant", content: completionText, refusal: null },
      logprobs: null,
      finish_reason: "stop",
    },
  ],
  usage,
  system_fingerprint: "fp_bench",
});

export const completionMessage = Buffer.from(
  `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(completionBody)}\r\n\r\n${completionBody}`,
);

export const notFoundMessage = Buffer.from("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");

const streamHead =
  "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n";

/** A stream as the pieces that a provider writes: the head with the first event, then each event, then the end. */
export type StreamReply = { pieces: Buffer[]; whole: Buffer };

export const streamReply = buildStream({ withUsage: false });
/** The same with the usage chunk that `stream_options.include_usage` asks for. */
export const streamReplyWithUsage = buildStream({ withUsage: true });

function buildStream({ withUsage }: { withUsage: boolean }): StreamReply {
  const event = (choices: unknown[], extra: object = {}) =>
    `data: ${JSON.stringify({ id, object: "chat.completion.chunk", created, model: "bench", system_fingerprint: "fp_bench", choices, ...extra })}\n\n`;
  const choice = (delta: object, finishReason: string | null = null) => [
    { index: 0, delta, logprobs: null, finish_reason: finishReason },
  ];

  const events = [
    event(choice({ role: "assistant", content: "" })),
    ...words.map((word) => event(choice({ content: word }))),
    event(choice({}, "stop")),
    ...(withUsage ? [event([], { usage })] : []),
    "data: [DONE]\n\n",
  ];
  const chunks = events.map((text) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
  const pieces = [streamHead + chunks[0], ...chunks.slice(1, -1), `${chunks.at(-1)}0\r\n\r\n`];
  return { pieces: pieces.map((piece) => Buffer.from(piece)), whole: Buffer.from(pieces.join("")) };
}
