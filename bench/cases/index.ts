import type { BenchCase } from "./case.ts";
import { chat } from "./chat.ts";
import { chatStream } from "./chat-stream.ts";
import { chatStreamWrites } from "./chat-stream-writes.ts";

/** All cases, in the order in which they run. */
export const cases: readonly BenchCase[] = [chat, chatStream, chatStreamWrites];
