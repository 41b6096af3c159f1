import { z } from "zod";

/** What the bench sends to a process of its own, by Node's IPC channel. */
export const toChild = z.discriminatedUnion("type", [
  z.object({ type: z.literal("start"), input: z.unknown() }),
  z.object({ type: z.literal("call"), id: z.number(), name: z.string(), input: z.unknown() }),
]);

/** What such a process answers. */
export const fromChild = z.discriminatedUnion("type", [
  z.object({ type: z.literal("ready"), value: z.unknown() }),
  z.object({ type: z.literal("result"), id: z.number(), value: z.unknown() }),
  z.object({ type: z.literal("failed"), id: z.number().nullable(), message: z.string() }),
]);
