import { TextScanner, type Piece } from "./matching/text-scanner.ts";
import { WorkBudget, WorkBudgetSpent } from "./matching/work-budget.ts";
import type { RailMatch, Rails } from "./guard-rails.ts";

/** A text as it goes through rules: what may pass comes out, masked where a rule says so. */
export interface Filter {
  /** The rule that ended the text; nothing comes out after it. */
  readonly denied: RailMatch | null;
  /** Whether anything of what came out stands masked. */
  readonly masked: boolean;
  push(text: string): string;
  /** The text is over: gives out what was held. */
  end(): string;
}

/** Plain text. */
export class TextFilter implements Filter {
  private readonly deny: TextScanner<RailMatch> | null;
  private readonly mask: TextScanner<RailMatch> | null;
  masked = false;
  private ended = false;
  private spent = false;

  /** @param budget of the request or answer that the text is part of */
  constructor({ deny, mask }: Rails, budget: WorkBudget = new WorkBudget()) {
    this.deny = deny && new TextScanner(deny, true, budget);
    this.mask = mask && new TextScanner(mask, false, budget);
  }

  get denied(): RailMatch | null {
    return this.spent ? TOO_MUCH_WORK : (this.deny?.found?.meaning ?? null);
  }

  push(text: string): string {
    return written(this.pieces(text));
  }

  end(): string {
    return written(this.lastPieces());
  }

  /** What is decided with this text: rules that deny see it as it came, the others only what those let pass. */
  pieces(text: string): readonly Piece<RailMatch>[] {
    return this.ended || text === "" ? NOTHING : this.within(() => this.pass(text));
  }

  lastPieces(): readonly Piece<RailMatch>[] {
    return this.ended ? NOTHING : this.within(() => this.passLast());
  }

  /** What cannot be looked through must not pass. */
  private within(work: () => readonly Piece<RailMatch>[]): readonly Piece<RailMatch>[] {
    try {
      const pieces = work();
      if (this.mask !== null && pieces.some(isMasked)) this.masked = true;
      return pieces;
    } catch (error) {
      if (!(error instanceof WorkBudgetSpent)) throw error;
      this.ended = true;
      this.spent = true;
      return NOTHING;
    }
  }

  private pass(text: string): readonly Piece<RailMatch>[] {
    const { deny, mask } = this;
    if (deny === null) return mask?.push(text) ?? NOTHING;
    const allowed = deny.push(text);
    const pieces = mask ? allowed.flatMap((piece) => mask.push(piece.text)) : allowed;
    return deny.found ? [...pieces, ...this.passLast()] : pieces;
  }

  private passLast(): readonly Piece<RailMatch>[] {
    this.ended = true;
    const { deny, mask } = this;
    const allowed = deny?.end() ?? NOTHING;
    if (mask === null) return allowed;
    return [...allowed.flatMap((piece) => mask.push(piece.text)), ...mask.end()];
  }
}

const isMasked = ({ hit }: Piece<RailMatch>) => hit !== null;

const NOTHING: readonly Piece<RailMatch>[] = [];

/** Stands for the rule where the patterns would take too long; see matching/work-budget.ts. */
const TOO_MUCH_WORK: RailMatch = {
  rule: "patterns that take too much work",
  replacement: "",
  check: null,
};

function written(pieces: readonly Piece<RailMatch>[]): string {
  const [only] = pieces;
  if (pieces.length === 1 && only?.hit === null) return only.text;
  let text = "";
  for (const { text: own, hit, begins } of pieces)
    text += hit === null ? own : begins ? hit.replacement : "";
  return text;
}
