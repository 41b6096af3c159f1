import { foldCase } from "./case-fold.ts";
import { isWordCharacter, type Meaning, type Program, STATE } from "./program.ts";

/** A class of characters that a program cannot tell apart. */
export interface CharacterClass {
  id: number;
  /** Folded; -1 where no state asks for this character by itself. */
  folded: number;
  exact: number;
  isWord: boolean;
  /** Which of the program's sets it is in. */
  sets: readonly boolean[];
}

/** How many characters beyond ASCII an alphabet remembers the class of. */
const REMEMBERED = 20_000;
const ASCII = 128;

/** The characters as a program sees them: few classes, found once for each character. */
export class Alphabet {
  private readonly ascii: (CharacterClass | undefined)[] = Array.from({ length: ASCII });
  private readonly others = new Map<number, CharacterClass>();
  private readonly classes = new Map<string, CharacterClass>();
  private readonly literals = new Set<number>();
  private readonly exacts = new Set<number>();
  private readonly sets: readonly RegExp[];
  private readonly hasBoundary: boolean;

  constructor({ kinds, first, tries, sets, hasBoundary }: Program<Meaning>) {
    this.sets = sets;
    this.hasBoundary = hasBoundary;
    kinds.forEach((kind, state) => {
      if (kind === STATE.literal) this.literals.add(first[state] ?? 0);
      if (kind === STATE.exact) this.exacts.add(first[state] ?? 0);
    });
    for (const { trie, ignoreCase } of tries)
      for (const label of trie.labels) (ignoreCase ? this.literals : this.exacts).add(label);
  }

  classOf(codePoint: number): CharacterClass {
    const known = codePoint < ASCII ? this.ascii[codePoint] : this.others.get(codePoint);
    return known ?? this.find(codePoint);
  }

  private find(codePoint: number): CharacterClass {
    const character = String.fromCodePoint(codePoint);
    const folding = foldCase(codePoint);
    const folded = this.literals.has(folding) ? folding : -1;
    const exact = this.exacts.has(codePoint) ? codePoint : -1;
    const isWord = this.hasBoundary && isWordCharacter(character);
    const sets = this.sets.map((set) => set.test(character));
    const name = `${folded},${exact},${isWord},${sets.map(Number).join("")}`;
    const found = this.classes.get(name) ?? { id: this.classes.size, folded, exact, isWord, sets };
    this.classes.set(name, found);
    if (codePoint < ASCII) this.ascii[codePoint] = found;
    else {
      if (this.others.size >= REMEMBERED) this.others.clear();
      this.others.set(codePoint, found);
    }
    return found;
  }
}
