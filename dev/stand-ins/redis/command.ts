import type { Arguments } from "./arguments.ts";
import type { Keyspace } from "./keyspace.ts";
import type { Value } from "./reply.ts";

export type Run = (keys: Keyspace, args: Arguments) => Value;

export interface Command {
  /** The least and most arguments, without the command's name. */
  readonly least: number;
  readonly most: number;
  readonly writes: boolean;
  readonly run: Run;
}

/** Commands by their names in lower case. */
export type CommandTable = Readonly<Record<string, Command>>;

export const MANY = Number.POSITIVE_INFINITY;

/** A command that changes nothing; scripts that only read may call it. */
export function reads(least: number, most: number, run: Run): Command {
  return { least, most, writes: false, run };
}

/** A command that may change something. */
export function writes(least: number, most: number, run: Run): Command {
  return { least, most, writes: true, run };
}
