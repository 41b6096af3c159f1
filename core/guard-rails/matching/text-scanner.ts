import type { Automaton, LiveState, MatchEnd } from "./automaton.ts";
import type { Meaning } from "./program.ts";
import type { WorkBudget } from "./work-budget.ts";

/** Of a longer match only this much is held back and covered, in UTF-16 units. */
export const REACH = 2_000;

/** After so many characters it is looked at how much work they took. */
const SPENT_AFTER = 1_024;

/** A piece of text that is decided. */
export interface Piece<M> {
  text: string;
  /** Why it is to be covered; null for text that may pass. */
  hit: M | null;
  /** Whether what is covered begins with this piece; a long one comes in several. */
  begins: boolean;
}

/** Text that matches cover: of those that overlap, from the first beginning to the last end. */
interface Region {
  start: number;
  end: number;
  /** What the longest match that begins where the region does means. */
  meaning: number;
  begun: boolean;
}

/** Where the first match is, for those who want no text with one. */
export interface Found<M> {
  meaning: M;
}

/**
 * Looks for matches in a text that comes in pieces, wherever it is cut. What no match can cover any more is given out
 * at once; the rest is held until that is known, `REACH` at most.
 */
export class TextScanner<M extends Meaning> {
  /** The match that ended the text, where the scanner was to stop at the first. */
  found: Found<M> | null = null;
  private readonly automaton: Automaton<M>;
  private readonly stopsAtFirst: boolean;
  private readonly budget: WorkBudget;
  private state: LiveState;
  /** Where each live beginning is, as a place in the whole text. */
  private starts: number[] = [];
  private held = "";
  /** The places of the held text's beginning and of the next character. */
  private base = 0;
  private at = 0;
  private regions: Region[] = [];

  /** @param stopsAtFirst ends the text before the first match, instead of covering matches */
  constructor(automaton: Automaton<M>, stopsAtFirst: boolean, budget: WorkBudget) {
    this.budget = budget;
    this.automaton = automaton;
    this.stopsAtFirst = stopsAtFirst;
    this.state = automaton.start();
  }

  /**
   * Takes the next piece of the text, and gives out what is decided by it.
   * @throws WorkBudgetSpent
   */
  push(text: string): Piece<M>[] {
    if (this.found) return [];
    this.budget.grant(text.length);
    this.held += text;
    this.scan(false);
    return this.release(false);
  }

  /** The text is over: gives out the rest. */
  end(): Piece<M>[] {
    if (this.found) return [];
    this.scan(true);
    if (!this.found) this.note(this.automaton.end(this.state), this.at);
    return this.release(true);
  }

  private scan(isWhole: boolean): void {
    const { held, automaton } = this;
    const length = held.length;
    let index = this.at - this.base;
    let state = this.state;
    let work = automaton.work;
    let nextLook = index + SPENT_AFTER;
    while (index < length) {
      if (index >= nextLook) {
        this.budget.spend(automaton.work - work);
        work = automaton.work;
        nextLook = index + SPENT_AFTER;
      }
      const unit = held.charCodeAt(index);
      let codePoint = unit;
      let units = 1;
      if (unit >= 0xd800 && unit <= 0xdbff) {
        if (index + 1 === length && !isWhole) break; // its other half is still to come
        codePoint = held.codePointAt(index) ?? unit;
        if (codePoint > 0xffff) units = 2;
      }
      const step = automaton.step(state, codePoint);
      const { before, after, origins } = step;
      this.at = this.base + index;
      if (before !== null) this.note(before, this.at);
      if (after !== null && !this.found) this.note(after, this.at + units, origins);
      if (this.found) return;
      if (origins !== null) this.move(origins);
      state = step.next;
      index += units;
    }
    this.budget.spend(automaton.work - work);
    this.at = this.base + index;
    this.state = state;
  }

  private move(origins: readonly number[]): void {
    const { starts } = this;
    this.automaton.work += origins.length;
    this.starts = origins.map((origin) => starts[origin] ?? this.at);
  }

  /** @param origins which of the live beginnings go on after the matches; all of them by default */
  private note(
    ends: readonly MatchEnd[],
    end: number,
    origins: readonly number[] | null = null,
  ): void {
    for (const { beginning, meaning } of ends) {
      const start = this.starts[beginning] ?? this.at;
      const check = this.automaton.meanings[meaning]?.check;
      if (check && !check(this.held.slice(Math.max(0, start - this.base), end - this.base)))
        continue;
      if (this.stopsAtFirst) {
        // An older beginning may be one of a match as well: nothing that it holds goes out.
        const oldest = this.starts[origins === null ? 0 : (origins[0] ?? beginning)] ?? start;
        return this.stop(Math.max(Math.min(start, oldest), end - REACH), meaning);
      }
      this.cover(start, end, meaning);
    }
  }

  /** What comes before the match still goes out; nothing after it does. */
  private stop(cut: number, meaning: number): void {
    const found = this.automaton.meanings[meaning];
    if (!found) return;
    this.found = { meaning: found };
    this.held = this.held.slice(0, cut - this.base);
    this.at = cut;
    this.starts = [];
  }

  /** Adds a match to the regions. No region ends after it, since matches come by their ends. */
  private cover(start: number, end: number, meaning: number): void {
    const long = end - start > REACH;
    const region: Region = { start: long ? end - REACH : start, end, meaning, begun: false };
    for (let last = this.regions.at(-1); last; last = this.regions.at(-1)) {
      if (last.end <= region.start) break;
      this.regions.pop();
      region.begun = last.begun;
      if (last.start > region.start) continue;
      // A longer match that begins at the same place says what it is; of equal ones, the first.
      const longer = last.start === region.start && !long;
      const same = last.end === end && last.meaning <= meaning;
      if (!longer || same) region.meaning = last.meaning;
      region.start = last.start;
    }
    this.regions.push(region);
  }

  private release(isWhole: boolean): Piece<M>[] {
    const pieces: Piece<M>[] = [];
    const decided =
      isWhole || this.found
        ? this.at
        : Math.max(Math.min(this.starts[0] ?? this.at, this.at), this.at - REACH);
    let ended = 0;
    while (this.base < decided) {
      const region = this.regions[ended];
      const inRegion = region !== undefined && region.start <= this.base;
      const until = region === undefined ? decided : inRegion ? region.end : region.start;
      const upTo = Math.min(until, decided);
      const hit = inRegion ? (this.automaton.meanings[region.meaning] ?? null) : null;
      pieces.push({ text: this.take(upTo), hit, begins: inRegion && !region.begun });
      if (inRegion) region.begun = true;
      if (inRegion && region.end <= decided) ended++;
    }
    if (ended > 0) this.regions = this.regions.slice(ended);
    return pieces;
  }

  private take(upTo: number): string {
    const length = upTo - this.base;
    const text = length === this.held.length ? this.held : this.held.slice(0, length);
    this.held = length === this.held.length ? "" : this.held.slice(length);
    this.base = upTo;
    return text;
  }
}
