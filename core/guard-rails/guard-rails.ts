import { AppError } from "../kernel/errors.ts";
import { Automaton } from "./matching/automaton.ts";
import { PatternFault } from "./matching/pattern-syntax.ts";
import type { Meaning, Search } from "./matching/program.ts";
import { TextFilter } from "./text-filter.ts";
import { PII_PATTERNS } from "./pii.ts";
import type { GuardRail } from "./rules.ts";

/** What a match means: which rule it is of, and what stands in its place where that rule masks. */
export interface RailMatch extends Meaning {
  rule: string;
  replacement: string;
}

/** The rules for one direction, ready to be used; null where there is none of the kind. */
export interface Rails {
  deny: Automaton<RailMatch> | null;
  mask: Automaton<RailMatch> | null;
}

/** A team's rules, ready to be used. They hold nothing of a request, so all of an isolate share them. */
export interface GuardRails {
  /** Names the rules in caches. */
  digest: string;
  input: Rails | null;
  output: Rails | null;
}

const MASKED = "[MASKED]";

/**
 * Makes rules ready to be used.
 * @throws AppError `validation_failed` where a pattern cannot be taken; says which and where
 */
export function compileGuardRails(rules: readonly GuardRail[], digest: string): GuardRails {
  return { digest, input: railsOf(rules, "input"), output: railsOf(rules, "output") };
}

function railsOf(rules: readonly GuardRail[], direction: "input" | "output"): Rails | null {
  const here = rules.map((rule, index) => ({ rule, index }));
  const of = (action: "deny" | "mask") =>
    here.filter(({ rule }) => rule.action === action && rule.on.includes(direction));
  const [deny, mask] = [automatonOf(of("deny")), automatonOf(of("mask"))];
  return deny || mask ? { deny, mask } : null;
}

function automatonOf(
  rules: readonly { rule: GuardRail; index: number }[],
): Automaton<RailMatch> | null {
  if (rules.length === 0) return null;
  const all: Search<RailMatch>[] = [];
  for (const { rule, index } of rules) {
    const searches = searchesOf(rule);
    all.push(...searches);
    try {
      new Automaton(searches); // by itself first, so that a fault is known to be this rule's
    } catch (error) {
      throw patternError(error, rule, index);
    }
  }
  try {
    return new Automaton(all);
  } catch (error) {
    throw patternError(error, null, 0);
  }
}

function searchesOf(rule: GuardRail): Search<RailMatch>[] {
  const { name, ignore_case: ignoreCase } = rule;
  const replacement = rule.replacement ?? MASKED;
  const meaning = { rule: name, replacement, check: null };
  if (rule.pattern !== undefined) return [{ meaning, ignoreCase, what: { pattern: rule.pattern } }];
  if (rule.phrases !== undefined) {
    const what = { phrases: rule.phrases, wholeWords: rule.whole_words };
    return [{ meaning, ignoreCase, what }];
  }
  return (rule.pii ?? []).flatMap((kind) =>
    PII_PATTERNS[kind].map(({ pattern, check }) => ({
      meaning: {
        rule: name,
        replacement: rule.replacement ?? `[${kind.toUpperCase()}]`,
        check,
      },
      ignoreCase: true,
      what: { pattern },
    })),
  );
}

function patternError(error: unknown, rule: GuardRail | null, index: number): unknown {
  if (!(error instanceof PatternFault)) return error;
  const path =
    rule === null
      ? "rules"
      : `rules.${index}.${rule.pattern === undefined ? "phrases" : "pattern"}`;
  const message =
    rule === null ? "the patterns of all rules are too large together" : error.message;
  return new AppError("validation_failed", {
    message: `${path}: ${message}`,
    fields: [{ path, message }],
  });
}

/**
 * Refuses replacements that a rule would find in turn: text that was masked once must come through again as it is.
 * @throws AppError `validation_failed`
 */
export function refuseReplacementsThatMatch(rules: readonly GuardRail[], rails: GuardRails): void {
  for (const [index, rule] of rules.entries()) {
    if (rule.action !== "mask") continue;
    const found = searchesOf(rule).find(({ meaning: { replacement } }) =>
      [rails.input, rails.output].some((each) => each !== null && isMatched(each, replacement)),
    );
    if (!found) continue;
    const path = `rules.${index}.replacement`;
    const message = `${found.meaning.replacement} would itself be found by a rule; choose another replacement`;
    throw new AppError("validation_failed", {
      message: `${path}: ${message}`,
      fields: [{ path, message }],
    });
  }
}

function isMatched(rails: Rails, text: string): boolean {
  const filter = new TextFilter(rails);
  return filter.push(text) + filter.end() !== text || filter.denied !== null;
}
