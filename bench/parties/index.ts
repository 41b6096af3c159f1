import { startBare } from "./bare.ts";
import type { Party, PartyName, PartyOptions } from "./party.ts";
import { startPortkeyNode } from "./portkey-node.ts";
import { startSwitchyard } from "./switchyard.ts";

const starters: Record<PartyName, (options: PartyOptions) => Promise<Party>> = {
  bare: startBare,
  portkey_node: startPortkeyNode,
  switchyard: startSwitchyard,
};

/** Starts one party in front of the upstream, in processes of its own. */
export function startParty(name: PartyName, options: PartyOptions): Promise<Party> {
  return starters[name](options);
}
