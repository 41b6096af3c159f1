import { z } from "zod";

/** A period as answers give it: both days included. */
export const periodAnswer = z.object({ from: z.string(), to: z.string() });
