import { z } from "zod";
import { newId } from "../kernel/ids.ts";

/** A call of a tool, as a model makes it. */
export interface ToolCall {
  id: string;
  /** As the model gave it: there may be no such tool. */
  name: string;
  /** JSON, if the model has done it right. */
  arguments: string;
  /** What its provider wants back with it; see ADR 58. */
  extra: unknown;
}

/** A message of the model that calls tools, or one that answers a call; as OpenAI shapes them. */
export type ToolMessage =
  | {
      role: "assistant";
      content: string | null;
      tool_calls: {
        id: string;
        type: "function";
        function: { name: string; arguments: string };
        extra_content?: unknown;
      }[];
      extra_content?: unknown;
    }
  | { role: "tool"; tool_call_id: string; content: string };

/** A call, or a part of one in a stream. */
export const toolCallShape = z.looseObject({
  index: z.number().nullish(),
  id: z.string().nullish(),
  function: z
    .looseObject({ name: z.string().nullish(), arguments: z.unknown().optional() })
    .nullish(),
  extra_content: z.unknown().optional(),
});

/** As many calls are read of one answer; what comes after them is left out. */
const CALLS_READ = 64;
/** The longest arguments of a call, in UTF-16 units; longer ones are cut, and then no JSON any more. */
const ARGUMENTS_LIMIT = 200_000;
const NAME_LIMIT = 200;

/** Puts calls of tools together from their parts, as they come in a stream. */
export class CallGatherer {
  private readonly calls = new Map<number, ToolCall>();
  /** The part that came last, for servers that do not say which call a part belongs to. */
  private last = -1;

  take(part: z.infer<typeof toolCallShape>): void {
    const index = part.index ?? (part.id ? this.calls.size : Math.max(0, this.last));
    const known = this.calls.get(index);
    if (!known && this.calls.size >= CALLS_READ) return;
    this.last = index;
    const call = known ?? { id: "", name: "", arguments: "", extra: undefined };
    call.id ||= part.id ?? "";
    call.name = (call.name || (part.function?.name ?? "")).slice(0, NAME_LIMIT);
    call.arguments += argumentsOf(part.function?.arguments);
    if (call.arguments.length > ARGUMENTS_LIMIT)
      call.arguments = call.arguments.slice(0, ARGUMENTS_LIMIT);
    if (part.extra_content !== undefined) call.extra = part.extra_content;
    this.calls.set(index, call);
  }

  /** All calls that have a name, in their order. Ids that are missing or come twice are made anew. */
  all(): ToolCall[] {
    const ids = new Set<string>();
    const named = [...this.calls].sort(([one], [other]) => one - other).map(([, call]) => call);
    return named.flatMap((call) => {
      if (call.name === "") return [];
      if (call.id === "" || ids.has(call.id)) call.id = newId("request").replace("req", "call");
      ids.add(call.id);
      return [call];
    });
  }
}

/** Some servers send an object in place of its JSON. */
function argumentsOf(value: unknown): string {
  if (typeof value === "string") return value;
  return value === undefined || value === null ? "" : JSON.stringify(value);
}

/** A round of calls as the model is told of it again: the calls, and what came of each. */
export function roundMessages(
  said: { text: string; extra: unknown },
  calls: readonly ToolCall[],
  results: readonly string[],
): ToolMessage[] {
  return [
    {
      role: "assistant",
      content: said.text === "" ? null : said.text,
      tool_calls: calls.map((call) => ({
        id: call.id,
        type: "function",
        function: { name: call.name, arguments: isObject(call.arguments) ? call.arguments : "{}" },
        ...(call.extra === undefined ? {} : { extra_content: call.extra }),
      })),
      ...(said.extra === undefined ? {} : { extra_content: said.extra }),
    },
    ...calls.map((call, index) => ({
      role: "tool" as const, // one of a message's roles
      tool_call_id: call.id,
      content: results[index] ?? "",
    })),
  ];
}

/** Providers refuse a call whose arguments are no JSON object, though one of their models wrote it. */
function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/** The same messages as a history keeps them: without what only the turn itself needs, and what the answer says anyway. */
export function keptMessages(messages: readonly ToolMessage[]): ToolMessage[] {
  return messages.map((message) => {
    if (message.role === "tool") return message;
    const { extra_content: _extra, tool_calls: calls, ...rest } = message;
    return {
      ...rest,
      content: null,
      tool_calls: calls.map(({ extra_content: _own, ...call }) => call),
    };
  });
}
