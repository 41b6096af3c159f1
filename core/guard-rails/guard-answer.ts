import type { RailMatch, Rails } from "./guard-rails.ts";
import type { RailWork } from "./rail-events.ts";
import { WorkBudget } from "./matching/work-budget.ts";
import { JsonFilter } from "./json-filter.ts";
import { TextFilter } from "./text-filter.ts";
import { isJsonField, mapTexts, type TextPath } from "./walk-texts.ts";

/** How an answer is read. */
export interface AnswerForm {
  /** Whether the model was asked for JSON, so that its content is read as such. */
  jsonContent: boolean;
}

/** How its texts are read, and what work is left for all of them. */
export interface FilterForm extends AnswerForm {
  budget: WorkBudget;
}

/** A whole answer as it goes on, and what was done to it. */
export interface GuardedAnswer extends RailWork {
  body: string;
}

/**
 * Holds a whole chat completion to the rules on the way out. A choice with a text that a rule denies ends before it,
 * with the reason `content_filter`. Where nothing changes, it is given back as it came.
 * @param body JSON, as the gateway has checked
 */
export function guardAnswer(rails: Rails, body: string, form: AnswerForm): GuardedAnswer {
  const completion: unknown = JSON.parse(body);
  const fields = completion as { choices?: unknown }; // read as JSON of an unknown shape
  const given: unknown = fields?.choices;
  const work: RailWork = { masked: false, denied: false };
  if (!Array.isArray(given)) return { body, ...work };
  const whole = { ...form, budget: new WorkBudget() };
  const choices = given.map((choice: unknown) => guardChoice(rails, choice, whole, work));
  const changed = choices.some((choice, index) => choice !== given[index]);
  return { body: changed ? JSON.stringify({ ...fields, choices }) : body, ...work };
}

function guardChoice(rails: Rails, choice: unknown, form: FilterForm, work: RailWork): unknown {
  let denied: RailMatch | null = null;
  const guarded = mapTexts(choice, (text, path) => {
    if (denied) return ""; // the answer has ended before this
    const filter = filterFor(rails, path, form);
    const out = filter.push(text) + filter.end();
    denied = filter.denied;
    if (filter.masked) work.masked = true;
    if (denied) work.denied = true;
    return out;
  });
  if (guarded === choice) return choice; // what is denied leaves a text shorter
  const { message, ...rest } = guarded as Record<string, unknown>; // a text of it was changed
  const ended = denied ? { finish_reason: "content_filter", message: withoutCalls(message) } : null;
  const told = rest["logprobs"] === undefined ? {} : { logprobs: null }; // they repeat the text
  return { ...rest, message, ...told, ...ended };
}

/** No tool is to be called with half of its arguments. */
function withoutCalls(message: unknown): unknown {
  if (typeof message !== "object" || message === null) return message;
  const { tool_calls: _calls, function_call: _call, ...rest } = message as Record<string, unknown>; // an object, as checked
  return rest;
}

/** How a text of an answer is read, by where it is. */
export function filterFor(rails: Rails, path: TextPath, { jsonContent, budget }: FilterForm) {
  const isJson = isJsonField(path) || (jsonContent && path.includes("content"));
  return isJson ? new JsonFilter(rails, budget) : new TextFilter(rails, budget);
}

/** Whether a request asks for JSON. */
export function asksForJson(raw: Record<string, unknown>): boolean {
  const format = raw["response_format"];
  const type = typeof format === "object" && format !== null ? Reflect.get(format, "type") : null;
  return typeof type === "string" && type.startsWith("json");
}
