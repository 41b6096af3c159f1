import { readFile } from "node:fs/promises";

/** Linux counts a process's time in ticks of 10 ms. */
const MS_PER_TICK = 10;

/**
 * The CPU time that these processes have used so far, in milliseconds; NaN where the system does not tell. It hardly
 * depends on what else runs on the machine, as requests per second do.
 */
export async function cpuMs(pids: readonly number[]): Promise<number> {
  const each = await Promise.all(pids.map(cpuMsOf));
  return each.reduce((sum, ms) => sum + ms, 0);
}

async function cpuMsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => null);
  if (stat === null) return Number.NaN;
  // The name in parentheses may hold spaces; user and system time are the 12th and 13th field after it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
}
