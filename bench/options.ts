import { parseArgs } from "node:util";
import type { PartyName } from "./parties/party.ts";

export const usage = `npm run bench -- [options]

  --only a,b          only these cases (--list names them)
  --json FILE         write the figures as JSON
  --parties a,b       only these of bare, portkey_node, switchyard
  --rounds N          rounds that count, after one to warm up (6)
  --seconds N         length of a round (3)
  --connections N     connections of the load generator (16)
  --load NAME         autocannon or wrk (wrk where it is installed)
  --profile FILE      afterwards, save a CPU profile and a flame graph of Switchyard's Worker, for chats and streams
  --list              names the cases

With REDIS_URL in the environment the case jobs measures BullMQ on that Redis, too.
`;

export const partyNames: readonly PartyName[] = ["bare", "portkey_node", "switchyard"];

export type Options = {
  only: string[] | null;
  json: string | null;
  parties: PartyName[];
  rounds: number;
  seconds: number;
  connections: number;
  load: "autocannon" | "wrk" | null;
  profile: string | null;
  list: boolean;
  help: boolean;
};

/** Reads the command line. Throws an `Error` that says what is wrong with it. */
export function readOptions(args: string[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: "string" },
      json: { type: "string" },
      parties: { type: "string" },
      rounds: { type: "string", default: "6" },
      seconds: { type: "string", default: "3" },
      connections: { type: "string", default: "16" },
      load: { type: "string" },
      profile: { type: "string" },
      list: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.load !== undefined && values.load !== "autocannon" && values.load !== "wrk")
    throw new Error("--load takes autocannon or wrk");
  return {
    only: values.only?.split(",") ?? null,
    json: values.json ?? null,
    parties: readParties(values.parties),
    rounds: readCount("rounds", values.rounds),
    seconds: readCount("seconds", values.seconds),
    connections: readCount("connections", values.connections),
    load: values.load ?? null,
    profile: values.profile ?? null,
    list: values.list,
    help: values.help,
  };
}

function readParties(text: string | undefined): PartyName[] {
  const wanted = text?.split(",") ?? partyNames;
  const unknown = wanted.filter((name) => !partyNames.some((known) => known === name));
  if (unknown.length > 0)
    throw new Error(
      `--parties: there is no ${unknown.join(", ")}; choose from ${partyNames.join(", ")}`,
    );
  return partyNames.filter((name) => wanted.includes(name));
}

function readCount(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`--${name} takes a whole number from 1 on, not "${text}"`);
  return value;
}
