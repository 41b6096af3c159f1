import { foldCase } from "./case-fold.ts";
import {
  parsePattern,
  type PatternNode,
  PatternFault,
  shortestMatch,
  WORD,
} from "./pattern-syntax.ts";
import { PhraseTrie, type TriePhrase } from "./phrase-trie.ts";

/** The states of all patterns of one program together. Each may be looked at for each character in the worst case. */
export const STATE_LIMIT = 4_000;

/** What a match means to whoever looks for it. */
export interface Meaning {
  /** Whether a match that fits the pattern is one, such as by its check digits. */
  check: ((text: string) => boolean) | null;
}

/** One thing to look for. */
export interface Search<M extends Meaning> {
  meaning: M;
  ignoreCase: boolean;
  what: { pattern: string } | { phrases: readonly string[]; wholeWords: boolean };
}

/** What a state does. */
export const STATE = {
  /** Reads one character, which is `first` (folded, for LITERAL). */
  literal: 0,
  exact: 1,
  /** Reads one character of the set `first`. */
  set: 2,
  /** Goes on at both `first` and `second`. */
  split: 3,
  /** Goes on where a word begins or ends (`first` 1), or where none does (0). */
  boundary: 4,
  /** A match, with the meaning `first`. */
  accept: 5,
  /** Begins the phrases of the trie `first`. */
  trie: 6,
} as const;

/** A trie whose nodes are states too, numbered from `base` on. */
export interface ProgramTrie {
  trie: PhraseTrie;
  base: number;
  ignoreCase: boolean;
}

/** What is to be found, as the states of a nondeterministic automaton (Thompson's construction). */
export interface Program<M extends Meaning> {
  kinds: readonly number[];
  first: readonly number[];
  second: readonly number[];
  /** States whose matches are checked: two beginnings that meet in one of them stay apart. */
  apart: readonly boolean[];
  starts: readonly number[];
  sets: readonly RegExp[];
  tries: readonly ProgramTrie[];
  meanings: readonly M[];
  /** The number of states, those of tries included. */
  size: number;
  hasBoundary: boolean;
}

const WORD_CHARACTER = new RegExp(`[${WORD}]`, "v");

/** Whether a character is one of a word, in any script. */
export const isWordCharacter = (character: string) => WORD_CHARACTER.test(character);

/**
 * Puts searches into one program.
 * @throws PatternFault where a pattern cannot be taken
 */
export function buildProgram<M extends Meaning>(searches: readonly Search<M>[]): Program<M> {
  return new ProgramBuilder<M>().build(searches);
}

class ProgramBuilder<M extends Meaning> {
  private readonly kinds: number[] = [];
  private readonly first: number[] = [];
  private readonly second: number[] = [];
  private readonly apart: boolean[] = [];
  private readonly starts: number[] = [];
  private readonly sets = new Map<string, { number: number; test: RegExp }>();
  private readonly meanings: M[] = [];
  /** Phrases by whether case counts and whether a word has to begin with them. */
  private readonly phrases = new Map<string, TriePhrase[]>();
  private stays = false;
  private ignoreCase = false;

  build(searches: readonly Search<M>[]): Program<M> {
    for (const search of searches) this.add(search);
    this.stays = false;
    const tries: { trie: PhraseTrie; ignoreCase: boolean }[] = [];
    for (const [name, phrases] of this.phrases) {
      const entry = this.state(STATE.trie, tries.length);
      this.starts.push(name.includes("word") ? this.state(STATE.boundary, 1, entry) : entry);
      tries.push({ trie: new PhraseTrie(phrases), ignoreCase: name.includes("fold") });
    }
    let size = this.kinds.length;
    const placed = tries.map(({ trie, ignoreCase }) => {
      const base = size;
      size += trie.size;
      return { trie, base, ignoreCase };
    });
    const { kinds, first, second, apart, starts, meanings } = this;
    const sets = [...this.sets.values()].map(({ test }) => test);
    const hasBoundary = kinds.includes(STATE.boundary);
    return {
      kinds,
      first,
      second,
      apart,
      starts,
      sets,
      tries: placed,
      meanings,
      size,
      hasBoundary,
    };
  }

  private add({ meaning, ignoreCase, what }: Search<M>): void {
    this.ignoreCase = ignoreCase;
    this.stays = meaning.check !== null;
    const accept = this.state(STATE.accept, this.meanings.push(meaning) - 1);
    if ("pattern" in what) {
      const node = parsePattern(what.pattern);
      if (shortestMatch(node) === 0) throw new PatternFault("it would match where nothing is", 1);
      this.starts.push(this.compile(node, accept));
      return;
    }
    const ended = what.wholeWords ? this.state(STATE.boundary, 1, accept) : accept;
    for (const phrase of what.phrases)
      // A text may be written with its accents apart or in one character with their letters.
      for (const form of new Set([phrase, phrase.normalize("NFC"), phrase.normalize("NFD")]))
        this.addPhrase(form, what.wholeWords, { accept, ended });
  }

  private addPhrase(phrase: string, wholeWords: boolean, to: { accept: number; ended: number }) {
    const characters = [...phrase];
    const fold = this.ignoreCase;
    const begins = wholeWords && isWordCharacter(characters[0] ?? "");
    const ends = wholeWords && isWordCharacter(characters.at(-1) ?? "");
    const name = `${fold ? "fold" : ""} ${begins ? "word" : ""}`;
    const codePoints = characters.map((character) => {
      const codePoint = character.codePointAt(0) ?? 0;
      return fold ? foldCase(codePoint) : codePoint;
    });
    const list = this.phrases.get(name) ?? [];
    list.push({ codePoints, exit: ends ? to.ended : to.accept });
    this.phrases.set(name, list);
  }

  /** Adds the states of a node before those that follow it, and gives the first of them. */
  private compile(node: PatternNode, next: number): number {
    switch (node.kind) {
      case "literal":
        return this.ignoreCase
          ? this.state(STATE.literal, foldCase(node.codePoint), next)
          : this.state(STATE.exact, node.codePoint, next);
      case "set":
        return this.state(STATE.set, this.set(node.source), next);
      case "boundary":
        return this.state(STATE.boundary, node.at ? 1 : 0, next);
      case "sequence":
        return node.items.reduceRight((after, item) => this.compile(item, after), next);
      case "choice":
        return node.options
          .map((option) => this.compile(option, next))
          .reduceRight((rest, option) => this.state(STATE.split, option, rest));
      case "repeat":
        return this.repeat(node, next);
    }
  }

  private repeat(
    { item, min, max }: Extract<PatternNode, { kind: "repeat" }>,
    next: number,
  ): number {
    let entry = next;
    if (max === null) {
      entry = this.state(STATE.split, 0, next);
      this.first[entry] = this.compile(item, entry);
    } else {
      for (let count = min; count < max; count++)
        entry = this.state(STATE.split, this.compile(item, entry), next);
    }
    for (let count = 0; count < min; count++) entry = this.compile(item, entry);
    return entry;
  }

  private set(source: string): number {
    const flags = this.ignoreCase ? "iv" : "v";
    const key = `${flags}${source}`;
    const known = this.sets.get(key);
    if (known) return known.number;
    const number = this.sets.size;
    this.sets.set(key, { number, test: new RegExp(`^${source}$`, flags) });
    return number;
  }

  private state(kind: number, first: number, second = -1): number {
    if (this.kinds.length >= STATE_LIMIT)
      throw new PatternFault("the patterns are too large; shorten their counts", 1);
    this.first.push(first);
    this.second.push(second);
    this.apart.push(this.stays);
    return this.kinds.push(kind) - 1;
  }
}
