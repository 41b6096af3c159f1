/** What a file says of a campaign. */
export interface CampaignNames {
  platform: string;
  name: string;
  externalId: string | null;
  currency: string;
  channel: string | null;
}

/** What makes it the same campaign in the next file. */
export const naturalKeyOf = ({ name, externalId }: CampaignNames): string =>
  externalId === null ? `name:${name}` : `id:${externalId}`;

/** Everything that tells it from the team's other campaigns. */
export const campaignKey = (campaign: CampaignNames): string =>
  `${campaign.platform}\n${campaign.currency}\n${naturalKeyOf(campaign)}`;

/** The campaigns of some rows, each once. */
export class CampaignBook {
  readonly list: CampaignNames[] = [];
  readonly #places = new Map<string, number>();
  /** By the cells that name it, which saves most rows the reading of them. */
  readonly #placesOfCells = new Map<string, number>();

  /** @param cells all that `read` goes by */
  placeOf(cells: string, read: () => CampaignNames): number {
    const known = this.#placesOfCells.get(cells);
    if (known !== undefined) return known;
    const campaign = read();
    const key = campaignKey(campaign);
    let place = this.#places.get(key);
    if (place === undefined) {
      place = this.list.push(campaign) - 1;
      this.#places.set(key, place);
    }
    this.#placesOfCells.set(cells, place);
    return place;
  }
}
