import { keptText } from "../../tables/cell-text.ts";
import type { TransactionContext } from "../../kernel/context.ts";
import { isUniqueViolation } from "../../kernel/postgres-errors.ts";
import { type FactColumns, type StoredFacts, storeFacts, storeNewFacts } from "../store-facts.ts";
import { campaignKey } from "./campaign-book.ts";
import type { ConvertedRows } from "./convert-rows.ts";
import { numberCampaigns, touchCampaigns } from "./number-campaigns.ts";

/** Campaigns whose numbers are kept between chunks. */
const KNOWN_CAMPAIGNS = 20_000;

/** Writes the rows of one file, chunk by chunk, and remembers the numbers of its campaigns meanwhile. */
export class RowStore {
  readonly #of: { teamId: string; importNumber: number };
  readonly #known = new Map<string, number>();
  #allNew = true;

  constructor(of: { teamId: string; importNumber: number }) {
    this.#of = of;
  }

  /**
   * Stores what came of some rows, within the chunk's transaction.
   * @returns how many campaigns the file had not named before
   */
  async store(context: TransactionContext, { campaigns, facts }: ConvertedRows): Promise<number> {
    const keys = campaigns.map(campaignKey);
    const unknown = campaigns.filter((_, place) => !this.#known.has(keys[place] ?? ""));
    const { numbers: found, added } = await numberCampaigns(context, this.#of, unknown);
    const places = new Map(unknown.map((campaign, place) => [campaign, found[place] ?? 0]));
    const numbers = campaigns.map(
      (campaign, place) => places.get(campaign) ?? this.#known.get(keys[place] ?? "") ?? 0,
    );
    if (this.#known.size + unknown.length > KNOWN_CAMPAIGNS) this.#known.clear();
    // Kept for longer than the chunk, of whose text the name may be a part.
    for (const [campaign, number] of places)
      this.#known.set(keptText(campaignKey(campaign)), number);
    const { orphaned } = await this.#storeFacts(context, {
      ...facts,
      campaign: facts.campaign.map((place) => numbers[place] ?? 0),
    });
    if (orphaned > 0) {
      // A campaign was deleted meanwhile, or its row was made by a chunk that was rolled back: look all up again.
      this.#known.clear();
      throw new Error(`${orphaned} facts had no campaign`);
    }
    const { importNumber } = this.#of;
    return (
      added + (await touchCampaigns(context, importNumber, { numbers: found, campaigns: unknown }))
    );
  }

  /** As new ones, until one is there already; the rows of most files tell each thing once, and for the first time. */
  async #storeFacts({ db }: TransactionContext, facts: FactColumns): Promise<StoredFacts> {
    const { teamId, importNumber } = this.#of;
    if (this.#allNew) {
      try {
        return await storeNewFacts(db, teamId, importNumber, facts);
      } catch (error) {
        if (!isUniqueViolation(error)) throw error;
        this.#allNew = false;
      }
    }
    return storeFacts(db, teamId, importNumber, facts);
  }
}
