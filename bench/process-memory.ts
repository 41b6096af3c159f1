import { readFile } from "node:fs/promises";

/** The memory that these processes hold, in MiB; NaN where the system does not tell. */
export async function memoryMb(pids: readonly number[]): Promise<number> {
  const each = await Promise.all(pids.map(memoryMbOf));
  return each.reduce((sum, mb) => sum + mb, 0);
}

async function memoryMbOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1_024;
}

/** The most memory that each of these processes has held since it began, added up, in MiB; NaN where the system does not tell. */
export async function peakMemoryMbOf(pids: readonly number[]): Promise<number> {
  const peaks = await Promise.all(
    pids.map(async (pid) => {
      const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
      return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1_024;
    }),
  );
  return peaks.reduce((sum, mb) => sum + mb, 0);
}

/**
 * The most memory that this process has held since it began, in MiB. Linux's own `maxRSS` of a process starts at what its
 * parent held when it was started, so it is read elsewhere where that is possible.
 */
export async function peakMemoryMb(): Promise<number> {
  const status = await readFile("/proc/self/status", "utf8").catch(() => "");
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  return (peak === undefined ? process.resourceUsage().maxRSS : Number(peak)) / 1_024;
}
