import { Alphabet, type CharacterClass } from "./alphabet.ts";
import { buildProgram, type Meaning, type Program, type Search, STATE } from "./program.ts";

/** A match that ends: which of the live beginnings it began with, and what it means. */
export interface MatchEnd {
  /** The place of its beginning in the groups before the step; their number stands for one that begins right here. */
  beginning: number;
  meaning: number;
}

/** What one character does. */
export interface Step {
  next: LiveState;
  /** For each live beginning after it, its place among those before; null where they stay as they are. */
  origins: readonly number[] | null;
  /** Matches that end before the character, once it is known: they end at the end of a word. */
  before: readonly MatchEnd[] | null;
  /** Matches that end with the character. */
  after: readonly MatchEnd[] | null;
}

/** Where the matches stand that have begun: for each beginning, the oldest first, the states that it is in. */
export interface LiveState {
  groups: readonly (readonly number[])[];
  afterWord: boolean;
  steps: (Step | undefined)[];
  /** Matches that end where the text does. */
  atEnd: readonly MatchEnd[] | null;
}

/** How much of the automaton is kept, in numbers held; beyond it, it is made anew as it is needed. */
const KEPT_LIMIT = 300_000;
/** What a state or a step takes besides its own numbers. */
const OVERHEAD = 12;

/**
 * A deterministic automaton that is made while it runs. It reads each character once, whatever the patterns are, and
 * its state can be put aside between two pieces of a text. It follows all beginnings of matches at once: of two that
 * are in the same state only the older one goes on, since it covers whatever the younger one would.
 */
export class Automaton<M extends Meaning = Meaning> {
  readonly meanings: readonly M[];
  /** States that were looked at so far: what the work is measured by. */
  work = 0;
  private readonly program: Program<M>;
  private readonly alphabet: Alphabet;
  private readonly states = new Map<string, LiveState>();
  private kept = 0;
  /** When each state was last reached, so that none is taken twice. */
  private readonly reached: Uint32Array;
  private readonly resolved: Uint32Array;
  private stamp = 0;

  /** @throws PatternFault */
  constructor(searches: readonly Search<M>[]) {
    this.program = buildProgram(searches);
    this.meanings = this.program.meanings;
    this.alphabet = new Alphabet(this.program);
    this.reached = new Uint32Array(this.program.size);
    this.resolved = new Uint32Array(this.program.size);
  }

  /** Nothing has begun yet. */
  start(): LiveState {
    return this.intern([], false);
  }

  step(state: LiveState, codePoint: number): Step {
    const read = this.alphabet.classOf(codePoint);
    return state.steps[read.id] ?? this.makeStep(state, read);
  }

  end(state: LiveState): readonly MatchEnd[] {
    if (state.atEnd !== null) return state.atEnd;
    const ends: MatchEnd[] = [];
    state.groups.forEach((group, beginning) => {
      const own = ++this.stamp;
      for (const each of group) this.resolve(each, state.afterWord, { own, beginning, ends });
    });
    state.atEnd = ends;
    return ends;
  }

  private makeStep(state: LiveState, read: CharacterClass): Step {
    if (this.kept > KEPT_LIMIT) {
      this.states.clear(); // texts that are being read hold on to the states that they need
      this.kept = 0;
    }
    if (this.stamp > 0xffff_0000) this.forgetStamps();
    const before: MatchEnd[] = [];
    const after: MatchEnd[] = [];
    const origins: number[] = [];
    const groups: number[][] = [];
    const atBoundary = state.afterWord !== read.isWord;
    const shared = ++this.stamp;
    const count = state.groups.length;
    for (let beginning = 0; beginning <= count; beginning++) {
      const live = state.groups[beginning] ?? this.program.starts;
      const own = ++this.stamp;
      const ready: number[] = [];
      const ends = before;
      for (const each of live) this.resolve(each, atBoundary, { own, beginning, ends, ready });
      const reachedStates: number[] = [];
      const to = { own: ++this.stamp, shared, beginning, ends: after, reached: reachedStates };
      for (const each of ready) this.read(each, read, to);
      if (reachedStates.length === 0) continue;
      groups.push(reachedStates.sort((one, other) => one - other));
      origins.push(beginning);
    }
    const unmoved = origins.length === count && origins.every((origin, place) => origin === place);
    const step: Step = {
      next: this.intern(groups, this.program.hasBoundary && read.isWord),
      origins: unmoved ? null : origins,
      before: before.length > 0 ? before : null,
      after: after.length > 0 ? after : null,
    };
    this.kept += OVERHEAD + origins.length;
    state.steps[read.id] = step;
    return step;
  }

  /** What a state is once it is known whether a word begins or ends here: the states that read, and matches. */
  private resolve(
    state: number,
    atBoundary: boolean,
    to: { own: number; beginning: number; ends: MatchEnd[]; ready?: number[] },
  ): void {
    if (this.resolved[state] === to.own) return;
    this.resolved[state] = to.own;
    this.work++;
    const { kinds, first, second } = this.program;
    switch (kinds[state]) {
      case STATE.split:
        this.resolve(first[state] ?? 0, atBoundary, to);
        this.resolve(second[state] ?? 0, atBoundary, to);
        return;
      case STATE.boundary:
        if ((first[state] === 1) === atBoundary) this.resolve(second[state] ?? 0, atBoundary, to);
        return;
      case STATE.accept:
        to.ends.push({ beginning: to.beginning, meaning: first[state] ?? 0 });
        return;
      default:
        to.ready?.push(state);
    }
  }

  private read(state: number, read: CharacterClass, to: Reaching): void {
    const { kinds, first, second } = this.program;
    this.work++;
    switch (kinds[state]) {
      case STATE.literal:
        if (first[state] === read.folded) this.reach(second[state] ?? 0, to);
        return;
      case STATE.exact:
        if (first[state] === read.exact) this.reach(second[state] ?? 0, to);
        return;
      case STATE.set:
        if (read.sets[first[state] ?? 0] === true) this.reach(second[state] ?? 0, to);
        return;
      default:
        this.readPhrase(state, read, to);
    }
  }

  private readPhrase(state: number, read: CharacterClass, to: Reaching): void {
    const { tries, first, size } = this.program;
    const named = state < this.program.kinds.length ? (first[state] ?? 0) : -1;
    const place =
      named === -1 ? tries.findLastIndex(({ base }) => base <= state && state < size) : named;
    const found = tries[place];
    if (!found) return;
    const { trie, base, ignoreCase } = found;
    const node = trie.step(named === -1 ? state - base : 0, ignoreCase ? read.folded : read.exact);
    if (node === -1) return;
    for (const exit of trie.exitsOf(node)) this.reach(exit, to);
    if (trie.goesOn(node) && this.isNew(base + node, to)) to.reached.push(base + node);
  }

  private reach(state: number, to: Reaching): void {
    if (!this.isNew(state, to)) return;
    this.work++;
    const { kinds, first, second } = this.program;
    switch (kinds[state]) {
      case STATE.split:
        this.reach(first[state] ?? 0, to);
        this.reach(second[state] ?? 0, to);
        return;
      case STATE.accept:
        to.ends.push({ beginning: to.beginning, meaning: first[state] ?? 0 });
        return;
      default:
        to.reached.push(state);
    }
  }

  private isNew(state: number, { own, shared }: Reaching): boolean {
    const stamp = this.program.apart[state] === true ? own : shared;
    if (this.reached[state] === stamp) return false;
    this.reached[state] = stamp;
    return true;
  }

  private intern(groups: number[][], afterWord: boolean): LiveState {
    const name = `${afterWord ? "w" : ""}${groups.map((group) => group.join()).join("|")}`;
    const known = this.states.get(name);
    if (known) return known;
    const state: LiveState = { groups, afterWord, steps: [], atEnd: null };
    this.states.set(name, state);
    this.kept += OVERHEAD + groups.reduce((sum, group) => sum + group.length + 1, 0) + name.length;
    return state;
  }

  private forgetStamps(): void {
    this.stamp = 0;
    this.reached.fill(0);
    this.resolved.fill(0);
  }
}

/** Where states are gathered that a character leads to. */
interface Reaching {
  /** Marks states of this beginning, and states that an older one has reached as well. */
  own: number;
  shared: number;
  beginning: number;
  ends: MatchEnd[];
  reached: number[];
}
