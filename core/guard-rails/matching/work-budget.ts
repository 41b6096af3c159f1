/** States that the patterns may look at for all texts of one request or answer; about a quarter of a second. */
const FIXED = 5_000_000;
/** And for each character besides. Ordinary text needs less than one. */
const FOR_EACH_CHARACTER = 2;

/** A text needs more work than a team's patterns may take, and would hold up everybody else. */
export class WorkBudgetSpent extends Error {}

/** How much work is left for the texts of one request or answer. */
export class WorkBudget {
  private left: number;

  constructor(left: number = FIXED) {
    this.left = left;
  }

  grant(characters: number): void {
    this.left += characters * FOR_EACH_CHARACTER;
  }

  /** @throws WorkBudgetSpent */
  spend(work: number): void {
    this.left -= work;
    if (this.left < 0) throw new WorkBudgetSpent();
  }
}
