import { models } from "../upstream/replies.ts";
import { throughputCase } from "./throughput.ts";

export const chatStream = throughputCase({
  name: "chat_stream",
  title: "a streamed chat completion, 200 events in a burst",
  model: models.burst,
  stream: true,
});
