import { models } from "../upstream/replies.ts";
import { throughputCase } from "./throughput.ts";

export const chat = throughputCase({
  name: "chat",
  title: "a chat completion in one piece, 600 bytes",
  model: models.burst,
  stream: false,
});
