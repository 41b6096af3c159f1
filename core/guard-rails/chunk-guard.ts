import type { SseEvent } from "../chat/sse.ts";
import type { StreamTally } from "../gateway/stream-tally.ts";
import { WorkBudget } from "./matching/work-budget.ts";
import { type AnswerForm, filterFor, type FilterForm } from "./guard-answer.ts";
import type { Rails } from "./guard-rails.ts";
import type { Filter } from "./text-filter.ts";
import { isSealed, mapTexts, type TextPath } from "./walk-texts.ts";

/** A text that comes in pieces, one in each chunk. */
interface Lane {
  filter: Filter;
  path: TextPath;
  /** Items of lists on its way, as far as they say which they are. */
  items: Record<string, unknown>[];
  choice: number;
}

type Fields = Record<string, unknown>;

/** Texts that are followed at once: choices, and calls of tools in each. */
const LANES_LIMIT = 2_000;
const DONE = "data: [DONE]\n\n";

/**
 * Holds the chunks of one streamed chat completion to the rules, event by event. Each text of each choice is followed
 * by itself. An event in which nothing changes is given back as it came; text that may yet be part of a match is held
 * until that is known, and comes in a later event, at the latest before the reason for its choice's end.
 */
export class ChunkGuard {
  /** Nothing more is to be read: rules have ended all choices, or the provider has. */
  ended = false;
  /** The names of the rules that ended a choice. */
  readonly denied: string[] = [];
  /** Whether any text stands masked. */
  masked = false;
  private readonly lanes = new Map<string, Lane>();
  /** Choices that rules have ended, and those that the provider has. */
  private readonly closed = new Set<number>();
  private readonly finished = new Set<number>();
  private readonly rails: Rails;
  private readonly form: FilterForm & { choices: number };
  /** Sees what the provider sent, which is what the request has used. */
  private readonly consumed: StreamTally;
  private readonly now: () => number;
  /** The fields of the last chunk that are the same in all of them. */
  private envelope: Fields = {};

  constructor(
    rails: Rails,
    form: AnswerForm & { choices: number },
    consumed: StreamTally,
    now: () => number,
  ) {
    this.rails = rails;
    this.form = { ...form, budget: new WorkBudget() };
    this.consumed = consumed;
    this.now = now;
  }

  /** What goes on for an event: itself, or the text of other events, which may be none. */
  take({ data, event, raw }: SseEvent): Uint8Array | string {
    if (data === null) return raw;
    this.consumed.see(data, this.now(), event);
    if (data === "[DONE]") {
      this.ended = true;
      const rest = this.flush(null);
      return rest === "" ? raw : rest + DONE;
    }
    const chunk = parseFields(data);
    if (chunk === null) return ""; // no client could read it, and neither can the rules
    const guarded = this.guard(chunk);
    if (guarded === chunk) return raw;
    return (event === undefined ? "" : `event: ${event}\n`) + String(guarded);
  }

  /** The chunk itself where nothing changes, otherwise events in its place. */
  private guard(chunk: Fields): Fields | string {
    const { choices: _, usage: _usage, ...envelope } = chunk;
    if (Array.isArray(chunk["choices"])) this.envelope = envelope;
    const deniedNow = new Map<number, string>();
    let guarded = this.withoutClosed(chunk);
    guarded = mapTexts(guarded, (text, path) =>
      this.push(guarded, text, path, deniedNow),
    ) as Fields; // of the same shape
    const finishing = choicesOf(guarded).filter((choice) => Boolean(choice["finish_reason"]));
    const rest = finishing.map((choice) => this.flush(placeOf(choice), deniedNow)).join("");
    for (const choice of finishing) this.finished.add(placeOf(choice));
    if (deniedNow.size === 0 && rest === "" && guarded === chunk) return chunk;
    return this.write(withoutLogprobs(guarded), rest, deniedNow);
  }

  private write(chunk: Fields, rest: string, deniedNow: Map<number, string>): string {
    // What was held stands before what ends the choice, and after what this chunk itself has to say.
    const isSplit = rest !== "" || deniedNow.size > 0;
    const { says, ends } = isSplit ? split(chunk) : { says: chunk, ends: null };
    let out = (saysNothing(says) ? "" : eventOf(says)) + rest;
    for (const [choice, rule] of deniedNow) out += this.close(choice, rule);
    const left = ends && this.withoutChoices(ends, deniedNow);
    if (left) out += eventOf(left);
    const over = new Set([...this.closed, ...this.finished]);
    if (deniedNow.size > 0 && over.size >= this.form.choices) {
      this.ended = true;
      out += DONE;
    }
    return out;
  }

  private push(
    chunk: Fields,
    text: string,
    path: TextPath,
    deniedNow: Map<number, string>,
  ): string {
    if (path[0] === "error") return text;
    const choice = path[0] === "choices" ? Number(path[1]) : -1;
    if (deniedNow.has(choice)) return "";
    const sealed = isSealed(path);
    const filter = sealed
      ? filterFor(this.rails, path, this.form)
      : this.filterOf(chunk, path, choice);
    const out = filter.push(text) + (sealed ? filter.end() : "");
    if (filter.denied) deniedNow.set(choice, filter.denied.rule);
    if (filter.masked) this.masked = true;
    return out;
  }

  private filterOf(chunk: Fields, path: TextPath, choice: number): Filter {
    const name = path.join("\n");
    let lane = this.lanes.get(name);
    if (!lane) {
      if (this.lanes.size >= LANES_LIMIT) throw new Error("An answer has too many texts at once");
      lane = { filter: filterFor(this.rails, path, this.form), path, items: [], choice };
      lane.items = itemsOn(chunk, path);
      this.lanes.set(name, lane);
    }
    return lane.filter;
  }

  /** What is held of one choice, or of all, in chunks of its own. */
  private flush(choice: number | null, deniedNow = new Map<number, string>()): string {
    let out = "";
    for (const [name, lane] of this.lanes) {
      if (choice !== null && lane.choice !== choice) continue;
      this.lanes.delete(name);
      const text = lane.filter.end();
      if (text !== "") out += eventOf({ ...this.envelope, ...chunkOf(lane, text) });
      const { denied, masked } = lane.filter;
      if (masked) this.masked = true;
      if (denied) deniedNow.set(lane.choice, denied.rule);
    }
    if (choice !== null) return out;
    for (const [place, rule] of deniedNow) out += this.close(place, rule);
    return out;
  }

  /** A rule ends a choice: what its other texts still hold goes out, then the reason. */
  private close(choice: number, rule: string): string {
    this.denied.push(rule);
    const rest = this.flush(choice);
    this.closed.add(choice);
    const end = { index: Math.max(0, choice), delta: {}, finish_reason: "content_filter" };
    return rest + eventOf({ ...this.envelope, choices: [end] });
  }

  /** Drops what still comes for choices that rules have ended. */
  private withoutClosed(chunk: Fields): Fields {
    const all = choicesOf(chunk);
    if (this.denied.length === 0 || !all.some((choice) => this.closed.has(placeOf(choice))))
      return chunk;
    return { ...chunk, choices: all.filter((choice) => !this.closed.has(placeOf(choice))) };
  }

  private withoutChoices(chunk: Fields, denied: Map<number, string>): Fields | null {
    const choices = choicesOf(chunk).filter((choice) => !denied.has(placeOf(choice)));
    return choices.length === 0 && !chunk["usage"] ? null : { ...chunk, choices };
  }
}

const eventOf = (chunk: Fields) => `data: ${JSON.stringify(chunk)}\n\n`;

function parseFields(data: string): Fields | null {
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Fields) // an object, as checked
      : null;
  } catch {
    return null;
  }
}

function choicesOf(chunk: Fields): Fields[] {
  const { choices } = chunk;
  if (!Array.isArray(choices)) return [];
  return choices.filter((choice) => typeof choice === "object" && choice !== null);
}

const placeOf = ({ index }: Fields) => (typeof index === "number" ? index : 0);

/** The log probabilities of tokens spell out the text that was changed. */
function withoutLogprobs(chunk: Fields): Fields {
  if (!choicesOf(chunk).some((choice) => choice["logprobs"])) return chunk;
  const choices = choicesOf(chunk).map((choice) =>
    choice["logprobs"] ? { ...choice, logprobs: null } : choice,
  );
  return { ...chunk, choices };
}

/** A chunk that ends choices as two: what they still say, and their ends. */
function split(chunk: Fields): { says: Fields; ends: Fields | null } {
  const says = choicesOf(chunk).map((choice) => ({ ...choice, finish_reason: null }));
  const ends = choicesOf(chunk).flatMap((choice) =>
    choice["finish_reason"] ? [{ ...choice, delta: {} }] : [],
  );
  const { usage, ...rest } = chunk;
  const told = usage === undefined ? {} : { usage };
  return {
    says: { ...rest, choices: says },
    ends: ends.length > 0 || usage ? { ...rest, choices: ends, ...told } : null,
  };
}

/** Whether a chunk whose text is held has nothing else to tell. */
function saysNothing(chunk: Fields): boolean {
  if (chunk["usage"]) return false;
  return choicesOf(chunk).every(({ delta, finish_reason: reason }) => !reason && isEmpty(delta, 0));
}

function isEmpty(value: unknown, depth: number): boolean {
  if (value === "" || value === null || value === undefined) return true;
  if (typeof value !== "object" || depth > 8) return false;
  return Object.entries(value).every(
    ([name, field]) => name === "index" || name === "type" || isEmpty(field, depth + 1),
  );
}

/** For each list on the way to a text, which item it is: its index, and its type where it has one. */
function itemsOn(chunk: Fields, path: TextPath): Fields[] {
  const items: Fields[] = [];
  let value: unknown = chunk;
  for (const step of path) {
    if (typeof value !== "object" || value === null) break;
    if (!Array.isArray(value)) {
      value = Reflect.get(value, step);
      continue;
    }
    const found: unknown = value.find((item: Fields | null) => item?.["index"] === step);
    value = found ?? value[Number(step)];
    const { index, type } = (typeof value === "object" && value !== null ? value : {}) as Fields; // read field by field
    items.push({
      ...(index === undefined ? {} : { index }),
      ...(type === undefined ? {} : { type }),
    });
  }
  return items;
}

/** The choices of a chunk that says one text, at the place where it was. */
function chunkOf({ path, items }: Lane, text: string): Fields {
  const rest = [...items];
  const build = (at: number): unknown => {
    const step = path[at];
    if (step === undefined) return text;
    if (typeof step === "string") return { [step]: build(at + 1) };
    const own = rest.shift() ?? {};
    const inner = build(at + 1);
    if (typeof inner === "string") return [inner];
    const ends = at === 1 ? { finish_reason: null } : {};
    return [{ ...own, ...(inner as Fields), ...ends }]; // a field or an item of its own
  };
  return build(0) as Fields; // the path begins with a field
}
