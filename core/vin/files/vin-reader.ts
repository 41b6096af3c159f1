import type { VinRow } from "./vin-columns.ts";

/** Reads VINs for jobs. A port: the data of VINs lies with the api Worker. */
export interface VinReader {
  /**
   * What VINs say, in their order.
   * @param vins up to 200, as they were typed
   * @throws Error where the api Worker cannot be reached
   */
  readRows(vins: readonly string[]): Promise<VinRow[]>;
}

/** How many one question may have. */
export const MOST_AT_ONCE = 200;
