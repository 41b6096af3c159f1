import { TextScanner, type Piece } from "./matching/text-scanner.ts";
import type { RailMatch, Rails } from "./guard-rails.ts";

/** A text as it goes through rules: what may pass comes out, masked where a rule says so. */
export interface Filter {
  /** The rule that ended the text; nothing comes out after it. */
  readonly denied: RailMatch | null;
  push(text: string): string;
  /** The text is over: gives out what was held. */
  end(): string;
}

/** Plain text. */
export class TextFilter implements Filter {
  private readonly deny: TextScanner<RailMatch> | null;
  private readonly mask: TextScanner<RailMatch> | null;
  private ended = false;

  constructor({ deny, mask }: Rails) {
    this.deny = deny && new TextScanner(deny, true);
    this.mask = mask && new TextScanner(mask, false);
  }

  get denied(): RailMatch | null {
    return this.deny?.found?.meaning ?? null;
  }

  push(text: string): string {
    return written(this.pieces(text));
  }

  end(): string {
    return written(this.lastPieces());
  }

  /** What is decided with this text: rules that deny see it as it came, the others only what those let pass. */
  pieces(text: string): readonly Piece<RailMatch>[] {
    if (this.ended || text === "") return NOTHING;
    const { deny, mask } = this;
    if (deny === null) return mask?.push(text) ?? NOTHING;
    const allowed = deny.push(text);
    const pieces = mask ? allowed.flatMap((piece) => mask.push(piece.text)) : allowed;
    return deny.found ? [...pieces, ...this.lastPieces()] : pieces;
  }

  lastPieces(): readonly Piece<RailMatch>[] {
    if (this.ended) return NOTHING;
    this.ended = true;
    const { deny, mask } = this;
    const allowed = deny?.end() ?? NOTHING;
    if (mask === null) return allowed;
    return [...allowed.flatMap((piece) => mask.push(piece.text)), ...mask.end()];
  }
}

const NOTHING: readonly Piece<RailMatch>[] = [];

function written(pieces: readonly Piece<RailMatch>[]): string {
  const [only] = pieces;
  if (pieces.length === 1 && only?.hit === null) return only.text;
  let text = "";
  for (const { text: own, hit, begins } of pieces)
    text += hit === null ? own : begins ? hit.replacement : "";
  return text;
}
