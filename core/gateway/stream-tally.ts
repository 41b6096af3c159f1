import { estimateTokens } from "../chat/estimate-tokens.ts";
import { FINISHED, TOKEN } from "./chunk-marks.ts";
import { readUsage, type TokenCounts } from "./usage-tally.ts";

/** How much of a stream is kept to estimate its tokens by, in characters; beyond it, only lengths are counted. */
const KEPT_LIMIT = 2_000_000;
/** Where the kept part ends: characters of an event for each token of its text, as OpenAI's chunks have them. */
const CHARACTERS_PER_TOKEN = 250;

const USAGE = /"usage"\s*:\s*\{/;
/**
 * What a stream of chat completion chunks tells in passing: its tokens, whether it came to its end, when its first
 * token came. It parses only the events that carry usage; the rest is searched, and parsed once at the end where the
 * provider sent no usage.
 */
export class StreamTally {
  /** `[DONE]` was seen. */
  sawDone = false;
  /** The provider sent an error in mid-stream. */
  failed = false;
  firstTokenAt: number | null = null;
  private usage: TokenCounts | null = null;
  /** The choices that have a reason for their end. */
  private readonly finished = new Set<unknown>();
  private readonly kept: string[] = [];
  private keptLength = 0;
  private beyond = 0;
  private readonly dropUsageChunk: boolean;
  private readonly choices: number;

  /**
   * @param dropUsageChunk whether the extra chunk with the usage is kept from the client, who did not ask for it
   * @param choices how many answers the client asked for
   */
  constructor(dropUsageChunk: boolean, choices = 1) {
    this.dropUsageChunk = dropUsageChunk;
    this.choices = choices;
  }

  /** Whether the provider said all that it had to say. */
  get complete(): boolean {
    return this.sawDone || this.finished.size >= this.choices;
  }

  /**
   * Takes the data of one event, and says whether the client gets it. After a `fail` there is nothing more to take.
   * @param event the event's name, where it has one
   */
  see(data: string, now: number, event?: string): "keep" | "drop" | "fail" {
    if (data === "[DONE]") {
      this.sawDone = true;
      return "keep";
    }
    if (event === "error" || (data.includes('"error"') && parseObject(data)?.["error"])) {
      this.failed = true;
      return "fail";
    }
    if (this.firstTokenAt === null && TOKEN.test(data)) this.firstTokenAt = now;
    if (this.finished.size < this.choices && FINISHED.test(data)) this.seeFinished(data);
    if (USAGE.test(data)) return this.seeUsage(data);
    this.keep(data);
    return "keep";
  }

  /**
   * The tokens of the stream so far.
   * @param estimateInput counts the request's own tokens, called only where the provider did not
   */
  tokens(estimateInput: () => number): { tokens: TokenCounts; estimated: boolean } {
    if (this.usage) return { tokens: this.usage, estimated: false };
    const text = this.kept.map(deltaText).join("");
    const output = estimateTokens(text) + Math.ceil(this.beyond / CHARACTERS_PER_TOKEN);
    return { tokens: { input: estimateInput(), output }, estimated: true };
  }

  private seeFinished(data: string): void {
    const choices = parseObject(data)?.["choices"];
    if (!Array.isArray(choices)) return;
    for (const choice of choices) if (choice?.finish_reason) this.finished.add(choice.index);
  }

  private seeUsage(data: string): "keep" | "drop" {
    const chunk = parseObject(data);
    const usage = readUsage(chunk?.["usage"]);
    if (usage) this.usage = usage;
    const choices = chunk?.["choices"];
    const onlyUsage = Array.isArray(choices) && choices.length === 0;
    if (!onlyUsage) this.keep(data);
    return usage && onlyUsage && this.dropUsageChunk ? "drop" : "keep";
  }

  private keep(data: string): void {
    if (this.usage) return;
    if (this.keptLength + data.length > KEPT_LIMIT) {
      this.beyond += data.length;
      return;
    }
    this.kept.push(data);
    this.keptLength += data.length;
  }
}

function parseObject(data: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** All that the model wrote in one chunk. */
function deltaText(data: string): string {
  const choices = parseObject(data)?.["choices"];
  if (!Array.isArray(choices)) return "";
  return choices.map((choice: { delta?: unknown } | null) => writtenText(choice?.delta)).join("");
}

/** All that the model wrote in a message or a part of one: text, reasoning, refusals, calls of tools. */
export function writtenText(message: unknown): string {
  if (typeof message !== "object" || message === null) return "";
  const { content, reasoning_content, reasoning, refusal, tool_calls } = message as Record<
    string,
    unknown
  >; // an object, as checked
  const texts = [content, reasoning_content, reasoning, refusal].filter(
    (text) => typeof text === "string",
  );
  const calls = Array.isArray(tool_calls) ? tool_calls : [];
  const called = calls.map((call: { function?: { name?: unknown; arguments?: unknown } } | null) =>
    [call?.function?.name, call?.function?.arguments]
      .filter((text) => typeof text === "string")
      .join(""),
  );
  return [...texts, ...called].join("");
}
