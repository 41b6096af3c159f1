import { z } from "zod";
import { AppError } from "../kernel/errors.ts";
import {
  inBlock,
  type IpAddress,
  type IpBlock,
  parseIp,
  parseIpBlock,
} from "../kernel/ip-address.ts";

/** Rules about addresses as they stand in a cached record: plain numbers, ready to be compared. */
export interface IpRules {
  /** Empty: all that `deny` does not hold. */
  allow: IpBlock[];
  /** Wins over `allow`. */
  deny: IpBlock[];
}

/** How many entries a list may have. */
const ENTRIES_LIMIT = 200;

const entry = z
  .string()
  .trim()
  .toLowerCase()
  .max(60)
  .superRefine((text, issue) => {
    const parsed = parseIpBlock(text);
    if ("fault" in parsed) issue.addIssue({ code: "custom", message: parsed.fault });
  });

const entries = z
  .array(entry)
  .max(ENTRIES_LIMIT)
  .default([])
  .transform((list) => [...new Set(list)]);

/** From which addresses a key or a team may be used, as it is given and shown. */
export const ipRulesInput = z
  .strictObject({
    allow: entries.describe("Addresses and CIDR blocks that may; empty for all"),
    deny: entries.describe("Addresses and CIDR blocks that may not; wins over `allow`"),
  })
  .describe("From which addresses requests may come, IPv4 and IPv6");

/** Makes lists ready for comparing; null where they say nothing. */
export function compileIpRules(allow: readonly string[], deny: readonly string[]): IpRules | null {
  if (allow.length === 0 && deny.length === 0) return null;
  return { allow: allow.flatMap(blockOf), deny: deny.flatMap(blockOf) };
}

function blockOf(text: string): IpBlock[] {
  const parsed = parseIpBlock(text);
  if ("block" in parsed) return [parsed.block];
  // Only checked entries are stored. One that is none would make an allow list wider or a deny list narrower.
  throw new AppError("internal_error", { message: "A stored list of addresses is broken." });
}

/** Whether the rules let an address in. */
export function allowsAddress({ allow, deny }: IpRules, address: IpAddress): boolean {
  for (const block of deny) if (inBlock(address, block)) return false;
  if (allow.length === 0) return true;
  for (const block of allow) if (inBlock(address, block)) return true;
  return false;
}

/** Whether the rules let in who comes from this address; nobody whose address is not known. */
export function allowsCaller(rules: IpRules, address: string | null): boolean {
  const parsed = address === null ? null : parseIp(address);
  return parsed !== null && allowsAddress(rules, parsed);
}

/**
 * Keeps somebody from shutting themselves out by mistake.
 * @param address the caller's own, null where there is none to lose
 * @throws AppError `conflict`
 */
export function refuseLockout(rules: IpRules | null, address: string | null, force: boolean): void {
  if (force || rules === null || address === null || allowsCaller(rules, address)) return;
  throw new AppError("conflict", {
    message: `These ip_rules would shut out your own address, ${address}. Let it in, or send "force": true as well.`,
    param: "ip_rules",
  });
}
