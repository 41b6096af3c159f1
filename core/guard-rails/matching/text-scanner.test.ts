import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Automaton } from "./automaton.ts";
import { foldCase } from "./case-fold.ts";
import { parsePattern, PatternFault } from "./pattern-syntax.ts";
import type { Search } from "./program.ts";
import { type Piece, REACH, TextScanner } from "./text-scanner.ts";
import { WorkBudget, WorkBudgetSpent } from "./work-budget.ts";

interface Named {
  check: ((text: string) => boolean) | null;
  name: string;
}

const boundless = () => new WorkBudget(Infinity);
const search = (pattern: string, name = pattern, ignoreCase = true): Search<Named> => ({
  meaning: { check: null, name },
  ignoreCase,
  what: { pattern },
});
const phrases = (texts: string[], wholeWords = false, ignoreCase = true): Search<Named> => ({
  meaning: { check: null, name: "phrases" },
  ignoreCase,
  what: { phrases: texts, wholeWords },
});

/** The text with `[name]` for what is covered; the pieces come in as the cuts say. */
function cover(automaton: Automaton<Named>, text: string, cuts: readonly number[] = []): string {
  const scanner = new TextScanner(automaton, false, boundless());
  return shown([...pieces(text, cuts).flatMap((piece) => scanner.push(piece)), ...scanner.end()]);
}

function stopAt(automaton: Automaton<Named>, text: string, cuts: readonly number[] = []) {
  const scanner = new TextScanner(automaton, true, boundless());
  const out = [...pieces(text, cuts).flatMap((piece) => scanner.push(piece)), ...scanner.end()];
  return { text: shown(out), by: scanner.found?.meaning.name ?? null };
}

const shown = (out: readonly Piece<Named>[]) =>
  out
    .map(({ text, hit, begins }) => (hit === null ? text : begins ? `[${hit.name}]` : ""))
    .join("");

function pieces(text: string, cuts: readonly number[]): string[] {
  const places = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((from, index) => text.slice(from, places[index] ?? text.length));
}

/** The letters among the characters that texts are made of here: the engine is slow to build all letters there are. */
const WORD = "[abcßéσς_ا]";
const EDGE = `(?:(?<=${WORD})(?!${WORD})|(?<!${WORD})(?=${WORD}))`;
const NO_EDGE = `(?:(?<=${WORD})(?=${WORD})|(?<!${WORD})(?!${WORD}))`;

/** All matches by the engine's own regular expressions: for each beginning, every end. */
function matchesByEngine(source: string, text: string): { start: number; end: number }[] {
  const theirs = source.replaceAll("\\b", EDGE).replaceAll("\\B", NO_EDGE).replaceAll("\\w", WORD);
  const found: { start: number; end: number }[] = [];
  const places = [...text].reduce((all, each) => [...all, (all.at(-1) ?? 0) + each.length], [0]);
  for (const [before, end] of places.entries()) {
    const after = places.length - 1 - before;
    const ending = new RegExp(`(?:${theirs})(?=[^]{${after}}$)(?<=^[^]{${before}})`, "ivy");
    for (const start of places.slice(0, before)) {
      ending.lastIndex = start;
      const match = ending.exec(text);
      if (match && match.index === start && start + match[0].length === end)
        found.push({ start, end });
    }
  }
  return found;
}

function coverByEngine(source: string, text: string): string {
  const covered = matchesByEngine(source, text).sort((a, b) => a.start - b.start || b.end - a.end);
  const regions: { start: number; end: number }[] = [];
  for (const match of covered) {
    const last = regions.at(-1);
    if (last && match.start < last.end) last.end = Math.max(last.end, match.end);
    else regions.push({ ...match });
  }
  let out = "";
  let at = 0;
  for (const { start, end } of regions) {
    out += `${text.slice(at, start)}[x]`;
    at = end;
  }
  return out + text.slice(at);
}

const ATOMS = ["a", "b", "A", "ß", "é", "[ab]", "[^a]", ".", "\\w", "\\s", "[a-c_]", "σ", "\\S"];
const COUNTS = ["*", "+", "?", "{2}", "{1,3}", "{2,}", "", "", ""];
const atom = fc.constantFrom(...ATOMS);
/** Plain sequences and choices of them: what is repeated holds no repetition, or the engine would take for ever. */
const plain = fc.array(atom, { minLength: 1, maxLength: 3 }).map((atoms) => atoms.join(""));
const choice = fc.array(plain, { minLength: 1, maxLength: 3 }).map((all) => `(?:${all.join("|")})`);
const counted = fc
  .tuple(fc.oneof(atom, choice), fc.constantFrom(...COUNTS))
  .map(([item, count]) => item + count);
const run = fc
  .array(fc.oneof({ weight: 5, arbitrary: counted }, fc.constantFrom("\\b", "\\B")), {
    minLength: 1,
    maxLength: 4,
  })
  .map((items) => items.join(""));
const pattern = fc.oneof(
  run,
  fc.tuple(run, run).map((pair) => pair.join("|")),
  fc.tuple(run, run).map(([one, other]) => `(${one}|a)(${other})`),
  fc.constantFrom("(a*b*)+c", "((a|b)+\\b)*c", "((ab)?a)+", "(a+|b)+\\B", "((a?b)*c?)+a"),
);
const text = fc
  .array(
    fc.constantFrom(
      "a",
      "b",
      "c",
      "A",
      "B",
      " ",
      "ß",
      "ẞ",
      "é",
      "σ",
      "ς",
      "Σ",
      "_",
      "👋",
      "\n",
      "ا",
    ),
    {
      maxLength: 9,
    },
  )
  .map((characters) => characters.join(""));

function automatonOf(source: string): Automaton<Named> | null {
  try {
    return new Automaton([search(source, "x")]);
  } catch (error) {
    if (error instanceof PatternFault) return null; // such as one that matches where nothing is
    throw error;
  }
}

describe("a text in pieces", () => {
  it("is covered as the engine's regular expressions say, however it is cut", () => {
    fc.assert(
      fc.property(pattern, text, fc.array(fc.nat(30)), (source, whole, cuts) => {
        const automaton = automatonOf(source);
        fc.pre(automaton !== null);
        expect(cover(automaton, whole, cuts)).toBe(coverByEngine(source, whole));
      }),
      { numRuns: 1_500 },
    );
  });

  it("is ended before the match that is complete first, however it is cut", () => {
    fc.assert(
      fc.property(pattern, text, fc.array(fc.nat(30)), (source, whole, cuts) => {
        const automaton = automatonOf(source);
        fc.pre(automaton !== null);
        const all = matchesByEngine(source, whole);
        const end = Math.min(...all.map((match) => match.end));
        const first = all.filter((match) => match.end === end).map(({ start }) => start);
        const stopped = stopAt(automaton, whole, cuts);
        expect(stopped).toEqual(stopAt(automaton, whole));
        expect(stopped.by).toBe(all.length === 0 ? null : "x");
        expect(whole.slice(0, Math.min(whole.length, ...first)).startsWith(stopped.text)).toBe(
          true,
        );
        if (all.length === 0) expect(stopped.text).toBe(whole);
      }),
      { numRuns: 1_000 },
    );
  });

  it("is ended before whatever an older beginning holds that is not complete", () => {
    const automaton = new Automaton([phrases(["ject F", "Project Falcon"])]);
    for (let cut = 0; cut < 20; cut++)
      expect(stopAt(automaton, "The Project Falcon", [cut]).text).toBe("The ");
    expect(stopAt(new Automaton([phrases(["x", "Project"])]), "a Prox").text).toBe("a Pro");
  });

  it("gives out at once what no match can cover, and holds only from where one may begin", () => {
    const scanner = new TextScanner(
      new Automaton([phrases(["project falcon"])]),
      false,
      boundless(),
    );
    expect(shown(scanner.push("Nothing to hide. "))).toBe("Nothing to hide. ");
    expect(shown(scanner.push("The pro"))).toBe("The ");
    expect(shown(scanner.push("ject"))).toBe("");
    expect(shown(scanner.push("or is on. proj"))).toBe("projector is on. ");
    expect(shown(scanner.push("ect Falcon!"))).toBe("[phrases]!");
    expect(shown(scanner.end())).toBe("");
  });

  it("gives out text that an older beginning held, while a younger one is still open", () => {
    const scanner = new TextScanner(
      new Automaton([phrases(["abcabx", "abd"])]),
      false,
      boundless(),
    );
    expect(shown(scanner.push("abcab"))).toBe("");
    expect(shown(scanner.push("d"))).toBe("abc[phrases]");
  });
});

describe("case and scripts", () => {
  it("folds as the engine does, for every character that has a case", () => {
    const cased: number[] = [];
    for (let code = 128; code < 0x1_ff00; code++) {
      const character = String.fromCodePoint(code);
      if (character.toLowerCase() !== character.toUpperCase()) cased.push(code);
    }
    expect(cased.length).toBeGreaterThan(2_000);
    for (const code of cased) {
      const character = String.fromCodePoint(code);
      for (const other of [character.toLowerCase(), character.toUpperCase()]) {
        const otherCode = other.codePointAt(0) ?? 0;
        if ([...other].length !== 1) continue;
        const same = new RegExp(`^\\u{${code.toString(16)}}$`, "iu").test(other);
        expect([code, otherCode, foldCase(code) === foldCase(otherCode)]).toEqual([
          code,
          otherCode,
          same,
        ]);
      }
    }
  });

  it("finds phrases in any case, with accents in either form, and in text from right to left", () => {
    const automaton = new Automaton([phrases(["STRASSE 5", "café", "ΟΔΟΣ", "گذرواژه"])]);
    expect(cover(automaton, "strasse 5, Cafe\u0301, οδος, οδοσ; گذرواژه است")).toBe(
      "[phrases], [phrases], [phrases], [phrases]; [phrases] است",
    );
  });

  it("takes whole words where they are wanted, in every script", () => {
    const automaton = new Automaton([phrases(["ass", "بد", "c++"], true)]);
    expect(cover(automaton, "class ass, assent; بدن بد; c++x c++")).toBe(
      "class [phrases], assent; بدن [phrases]; [phrases]x [phrases]",
    );
  });

  it("minds case where it is told to", () => {
    const automaton = new Automaton([search("AKIA[A-Z0-9]{4}", "key", false)]);
    expect(cover(automaton, "akia1234 AKIA12ab AKIA12AB")).toBe("akia1234 AKIA12ab [key]");
  });
});

describe("matches that overlap", () => {
  it("are covered together, named by the longest that begins first", () => {
    const automaton = new Automaton([
      search("foo bar", "one"),
      search("bar baz", "two"),
      search("foo bar!?", "three"),
    ]);
    expect(cover(automaton, "foo bar baz")).toBe("[one]");
    expect(cover(automaton, "foo bar! bar baz")).toBe("[three] [two]");
    expect(cover(automaton, "foo barfoo bar")).toBe("[one][one]");
  });

  it("do not hold back an endless chain of them", () => {
    const scanner = new TextScanner(new Automaton([search("aa", "x")]), false, boundless());
    let out = "";
    for (let round = 0; round < 100; round++) {
      out += shown(scanner.push("a".repeat(1_000)));
      expect((scanner as unknown as { held: string }).held.length).toBeLessThan(5); // its private store
    }
    expect(out + shown(scanner.push(" b")) + shown(scanner.end())).toBe("[x] b");
  });

  it("keep a beginning apart whose match is checked, though an older one fails the check", () => {
    const check = (found: string) => found.startsWith("4");
    const automaton = new Automaton<Named>([
      {
        meaning: { check, name: "four" },
        ignoreCase: true,
        what: { pattern: "\\b\\d(?: ?\\d){3,5}\\b" },
      },
    ]);
    for (let cut = 0; cut < 12; cut++) {
      expect(cover(automaton, "12 4567 end", [cut])).toBe("12 [four] end");
      expect(cover(automaton, "12 3567 end", [cut])).toBe("12 3567 end");
    }
  });
});

describe("hostile patterns and texts", () => {
  /** Looks at states for each character, at the most. */
  function workOf(searches: Search<Named>[], whole: string): number {
    const automaton = new Automaton(searches);
    const scanner = new TextScanner(automaton, false, boundless());
    for (let at = 0; at < whole.length; at += 1_000) scanner.push(whole.slice(at, at + 1_000));
    scanner.end();
    return automaton.work / whole.length;
  }

  it.each([
    ["(a+)+b", "a"],
    ["(a|a|aa)*c", "a"],
    ["(.*)(.*)(.*)(.*)x", "a"],
    ["(\\w+\\s?)+!", "ab "],
    ["a.{0,300}b", "ab"],
    ["(a?){50}a{50}", "a"],
    ["(x+x+)+y", "x"],
  ])("%s does no more for a character of a long text than of a short one", (source, unit) => {
    const short = workOf([search(source)], unit.repeat(2_000));
    const long = workOf([search(source)], unit.repeat(40_000));
    expect(long).toBeLessThan(Math.max(short * 1.2, 1));
    expect(long).toBeLessThan(1_200);
  });

  it("ten thousand phrases cost hardly more for each character than ten do", () => {
    const many = Array.from({ length: 10_000 }, (_, index) => `secret number ${index * 7919}`);
    const whole = "This is the secret number of nobody, and a secret it stays. ".repeat(2_000);
    expect(workOf([phrases(many)], whole)).toBeLessThan(2);
    expect(cover(new Automaton([phrases(many)]), "the Secret Number 79190!")).toBe(
      "the [phrases]!",
    );
  });

  it("text that no two beginnings share is followed within the number of states", () => {
    const random = fc.sample(fc.stringMatching(/^[ab]{20000}$/), { numRuns: 1, seed: 7 })[0] ?? "";
    expect(workOf([search("a[ab]{0,200}c")], random)).toBeLessThan(1_500);
  });

  it("patterns that would take too long are given up, however the text comes", () => {
    const automaton = new Automaton([search("a[ab]{0,900}c")]);
    const random = fc.sample(fc.stringMatching(/^[ab]{8000}$/), { numRuns: 1, seed: 7 })[0] ?? "";
    const whole = new TextScanner(automaton, false, new WorkBudget());
    expect(() => whole.push(random.repeat(10))).toThrow(WorkBudgetSpent);
    expect(automaton.work).toBeLessThan(8_000_000);
    const pieces = new TextScanner(automaton, false, new WorkBudget());
    expect(() => [...random.repeat(10)].forEach((each) => pieces.push(each))).toThrow(
      WorkBudgetSpent,
    );
    expect(automaton.work).toBeLessThan(16_000_000);
  });

  it("of a match longer than what is held back the end is covered, wherever it was cut", () => {
    const automaton = new Automaton([search("<.*>", "long")]);
    const whole = `<${"x".repeat(REACH + 500)}> after`;
    const expected = `${whole.slice(0, 502)}[long] after`;
    for (const cuts of [[], [1], [700], [501, 502, 503], [REACH, REACH + 501, REACH + 502]])
      expect(cover(automaton, whole, cuts)).toBe(expected);
    expect(stopAt(automaton, whole, [900])).toEqual({ text: whole.slice(0, 502), by: "long" });
  });

  it.each([
    ["a{1000}{2}", 8],
    ["((a{100}){100}){100}", 1],
    ["a*", 1],
    ["(a", 1],
    ["a)", 2],
    ["a**", 3],
    ["a+?", 3],
    ["(?=a)", 2],
    ["(a)\\1", 4],
    ["^a", 1],
    ["a$", 2],
    ["[z-a]", 2],
    ["[]", 1],
    ["[a", 1],
    ["\\", 1],
    ["\\q", 1],
    ["a{2,1}", 2],
    ["a|", 3],
    ["\\p{Nonsense}", 1],
    ["*a", 1],
    ["\\ud800", 1],
    ["a{,3}", 2],
  ])("%s is refused, with the place of the fault", (source, at) => {
    expect(() => new Automaton([search(source)])).toThrow(PatternFault);
    try {
      parsePattern(source);
      new Automaton([search(source)]);
    } catch (error) {
      expect((error as PatternFault).at).toBe(at);
    }
  });
});
