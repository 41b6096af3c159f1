import { models } from "../upstream/replies.ts";
import { throughputCase } from "./throughput.ts";

/** Asked for by name only: the 200 writes cost the upstream about as much as a bare proxy's whole work. */
export const chatStreamWrites = throughputCase({
  name: "chat_stream_writes",
  title: "a streamed chat completion, 200 events in a packet each",
  model: models.writes,
  stream: true,
  byDefault: false,
});
