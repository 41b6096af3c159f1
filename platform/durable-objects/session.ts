import { DurableObject } from "cloudflare:workers";

/** One chat session: its history, title and prompt. */
export class Session extends DurableObject {}
