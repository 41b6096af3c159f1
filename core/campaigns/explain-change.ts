import { z } from "zod";
import type { Context } from "../kernel/context.ts";
import { campaignFilter } from "./campaign-filter.ts";
import {
  decompose,
  type Decomposition,
  type Member,
  type Part,
  wholeOf,
} from "./changes/decompose.ts";
import { changeSentences } from "./changes/sentences.ts";
import { type Period, previousPeriod } from "./metrics/days.ts";
import { periodInput, resolvePeriod } from "./metrics/period.ts";
import { RATIO_NAMES, type RatioName } from "./metrics/ratios.ts";
import { type Dimension, type Group, readAllGroups } from "./metrics/read-groups.ts";
import { addSums, noSums, type Sums, SUMS } from "./metrics/sums.ts";
import { type NamedCampaigns, selectCampaigns } from "./read-metrics.ts";
import type { Language } from "./words/figures.ts";

/** How many members of one change are looked at one by one; the rest, with the least spend, is one member. */
const MOST_MEMBERS = 2_000;
const MOST_CURRENCIES = 300;

export const explainChangeInput = campaignFilter.extend(periodInput.shape).extend({
  metric: z.enum(RATIO_NAMES).default("cpa").describe("The ratio whose change is taken apart"),
});
export type ExplainChangeInput = z.output<typeof explainChangeInput>;

/** A campaign, or an ad group of one, in both periods. */
export interface ChangeMember extends Member {
  platform: string;
  /** Null for an ad group, and for the rest that is not looked at one by one. */
  campaignId: string | null;
  /** The campaign's or the ad group's name; null for the rest. */
  name: string | null;
}

export interface PlatformPart extends Member {
  platform: string;
  part: bigint;
}

/** What became of a ratio in one currency, and who made it so. */
export interface ExplainedChange extends Omit<Decomposition<ChangeMember>, "parts"> {
  metric: RatioName;
  currency: string;
  period: Period;
  previous: Period;
  whole: Member;
  /** Their parts add up to the change, as do those of their members to each; the largest first. */
  platforms: PlatformPart[];
  /** Campaigns, or ad groups where one campaign was asked for; the largest part first. */
  members: Part<ChangeMember>[];
  /** The same in words. */
  sentences: Record<Language, string[]>;
}

/**
 * What moved a ratio from the period before to this one: its change, taken apart by platform and campaign, or by ad
 * group where one campaign is asked for; once for each currency. Parts add up to the change exactly. Needs the scope
 * `skills`.
 * @throws AppError `missing_scope`, `forbidden`, `not_found` (the campaign), `validation_failed`, `invalid_request`
 */
export async function explainChange(
  context: Context,
  input: ExplainChangeInput & NamedCampaigns,
): Promise<{ period: Period; previous: Period; changes: ExplainedChange[] }> {
  const where = await selectCampaigns(context, input);
  const period = await resolvePeriod(context, input, where);
  const byAdGroup = input.campaign_id !== undefined;
  const groupBy: Dimension[] = byAdGroup ? ["platform", "ad_group"] : ["platform", "campaign"];
  const query = { where, period, withPrevious: true };
  const { groups, complete } = await readAllGroups(
    context.db,
    { ...query, groupBy, sort: "spend" },
    MOST_MEMBERS,
  );
  const members = groups.map((group) => toMember(group, byAdGroup));
  if (!complete) {
    const totals = await readAllGroups(
      context.db,
      { ...query, groupBy: ["platform"], sort: null },
      MOST_CURRENCIES,
    );
    members.push(...restOf(totals.groups, members));
  }
  const currencies = [...new Set(members.map(({ currency }) => currency))].toSorted();
  const previous = previousPeriod(period);
  const changes = currencies.map((currency) =>
    explain(
      { metric: input.metric, currency, period, previous },
      members.filter((member) => member.currency === currency).map(({ member }) => member),
    ),
  );
  return { period, previous, changes };
}

interface InCurrency {
  currency: string;
  member: ChangeMember;
}

function toMember(group: Group, byAdGroup: boolean): InCurrency {
  const [platform = "", value = ""] = group.values;
  const member = {
    platform,
    campaignId: byAdGroup ? null : value,
    name: byAdGroup ? value : (group.campaign?.name ?? ""),
    before: group.previous ?? noSums(),
    after: group.current,
  };
  return { currency: group.currency, member };
}

/** What the totals of platforms have beyond the members: one member a platform and currency. */
function restOf(totals: Group[], members: InCurrency[]): InCurrency[] {
  return totals.map((total) => {
    const platform = total.values[0] ?? "";
    const listed = members.filter(
      ({ currency, member }) => currency === total.currency && member.platform === platform,
    );
    const sum = (pick: (member: Member) => Sums) =>
      listed.reduce((all, { member }) => addSums(all, pick(member)), noSums());
    return {
      currency: total.currency,
      member: {
        platform,
        campaignId: null,
        name: null,
        before: subtract(
          total.previous ?? noSums(),
          sum(({ before }) => before),
        ),
        after: subtract(
          total.current,
          sum(({ after }) => after),
        ),
      },
    };
  });
}

function subtract(from: Sums, sums: Sums): Sums {
  const rest = noSums();
  for (const name of SUMS) {
    const value = from[name];
    rest[name] = value === null ? null : value - (sums[name] ?? 0n);
  }
  return rest;
}

function explain(
  about: Pick<ExplainedChange, "metric" | "currency" | "period" | "previous">,
  members: ChangeMember[],
): ExplainedChange {
  const { parts, ...ends } = decompose(about.metric, members);
  const platforms = new Map<string, PlatformPart>();
  for (const { member, part } of parts) {
    const { platform } = member;
    const sum = platforms.get(platform) ?? {
      platform,
      part: 0n,
      before: noSums(),
      after: noSums(),
    };
    platforms.set(platform, {
      platform,
      part: sum.part + part,
      before: addSums(sum.before, member.before),
      after: addSums(sum.after, member.after),
    });
  }
  const explained = {
    ...about,
    ...ends,
    whole: wholeOf(members),
    platforms: [...platforms.values()].toSorted(bySize),
    members: parts.toSorted(bySize),
  };
  const sentences = {
    en: changeSentences(explained, "en"),
    fa: changeSentences(explained, "fa"),
  };
  return { ...explained, sentences };
}

const size = (part: bigint) => (part < 0n ? -part : part);
const bySize = (one: { part: bigint }, other: { part: bigint }) =>
  size(one.part) > size(other.part) ? -1 : size(one.part) < size(other.part) ? 1 : 0;
