import type { ChatRequest } from "../gateway/chat-request.ts";
import { AppError } from "../kernel/errors.ts";
import type { GuardRails, Rails } from "./guard-rails.ts";
import { WorkBudget } from "./matching/work-budget.ts";
import { JsonFilter } from "./json-filter.ts";
import { TextFilter } from "./text-filter.ts";
import { isJsonField, mapTexts, type TextPath } from "./walk-texts.ts";

/**
 * Holds all text of a request to the rules on the way in: what every message says, whoever it is from, calls of tools
 * and what came of them. Pictures, sound and files are not read.
 * @returns the request as it may go to a model; the same one where nothing is masked
 * @throws AppError `content_filter`, which names the rule and never repeats what it found
 */
export function guardRequest({ input }: GuardRails, request: ChatRequest): ChatRequest {
  if (input === null) return request;
  const { raw } = request;
  const budget = new WorkBudget();
  const messages = guardValue(input, request.messages, "messages", budget);
  const prediction = guardValue(input, raw["prediction"], "prediction", budget);
  if (messages === request.messages && prediction === raw["prediction"]) return request;
  return {
    ...request,
    messages,
    raw: { ...raw, messages, ...(prediction === undefined ? {} : { prediction }) },
  };
}

/**
 * Holds a part of a request to the rules on the way in, such as the content of one message.
 * @param name what errors call the part
 * @throws AppError `content_filter`
 */
export function guardInput<T>(rails: GuardRails, value: T, name: string): T {
  return rails.input === null ? value : guardValue(rails.input, value, name);
}

/**
 * Holds the texts of an embeddings request to the rules on the way in.
 * @throws AppError `content_filter`, and `invalid_request` for lists of tokens, which cannot be read here
 */
export function guardEmbeddings(
  { input }: GuardRails,
  raw: Record<string, unknown>,
): Record<string, unknown> {
  if (input === null) return raw;
  const asked = raw["input"];
  if (Array.isArray(asked) && asked.some((item) => typeof item !== "string")) {
    throw new AppError("invalid_request", {
      message:
        "input must be a text or a list of texts: this team's guard rails cannot read lists of tokens.",
      param: "input",
    });
  }
  const guarded = guardValue(input, { input: asked }, "input");
  return guarded.input === asked ? raw : { ...raw, ...guarded };
}

function guardValue<T>(rails: Rails, value: T, name: string, budget = new WorkBudget()): T {
  const guardText = (text: string, path: TextPath) => {
    const Form = isJsonField(path) || isJson(text) ? JsonFilter : TextFilter;
    const filter = new Form(rails, budget);
    const guarded = filter.push(text) + filter.end();
    if (filter.denied) throw refusedBy(filter.denied.rule, name);
    return guarded;
  };
  if (typeof value === "string") return guardText(value, []) as T; // a text for a text
  return mapTexts(value, guardText) as T; // of the same shape
}

const refusedBy = (rule: string, param: string) =>
  new AppError("content_filter", {
    message: `The request was refused by the guard rail ${JSON.stringify(rule)} of your team.`,
    param,
  });

/** What tools give back is often JSON as text: read as such, so that no escape hides anything. */
function isJson(text: string): boolean {
  const first = text.trimStart().charAt(0);
  if (first !== "{" && first !== "[") return false;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
