import type { Skill } from "./skill.ts";
import { decodeVinSkill } from "./vin/decode-vin.ts";

/** Every skill that there is. */
export const SKILLS: readonly Skill[] = [decodeVinSkill];
