import { JOB_PRIORITIES, type JobPriority } from "./job.ts";

/** What clients call a stored priority. */
export function priorityNamed(stored: number): JobPriority {
  const names = Object.keys(JOB_PRIORITIES) as JobPriority[]; // Object.keys forgets the literal types
  return names.find((name) => JOB_PRIORITIES[name] === stored) ?? "normal";
}
