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
  #last: CampaignNames | null = null;
  #lastPlace = 0;

  placeOf(campaign: CampaignNames): number {
    if (this.#last !== null && isSame(this.#last, campaign)) return this.#lastPlace;
    const key = campaignKey(campaign);
    let place = this.#places.get(key);
    if (place === undefined) {
      place = this.list.push(campaign) - 1;
      this.#places.set(key, place);
    }
    this.#last = campaign;
    this.#lastPlace = place;
    return place;
  }
}

function isSame(one: CampaignNames, other: CampaignNames): boolean {
  return (
    one.name === other.name &&
    one.externalId === other.externalId &&
    one.platform === other.platform &&
    one.currency === other.currency
  );
}
