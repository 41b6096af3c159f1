import type { Json } from "../../jobs/job-type.ts";
import type { Principal } from "../../kernel/principal.ts";

/** Uses skills for jobs. A port: what skills reach of the world lies with the api Worker. */
export interface SkillUser {
  /**
   * @param use.key the same again gives the answer of the first time, and is charged once
   * @throws Error where the api Worker cannot be reached
   */
  use(
    principal: Principal,
    use: { skill: string; input: Record<string, Json>; key: string },
  ): Promise<SkillUsed>;
}

export type SkillUsed =
  | { kind: "answer"; output: { [name: string]: Json } }
  /** `final`: the same would be refused again. */
  | { kind: "refused"; final: boolean; message: string };
