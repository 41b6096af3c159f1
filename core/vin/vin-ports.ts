import type { MakerFile } from "./maker-file.ts";
import type { ServiceAnswer, ServiceName } from "./services/service-facts.ts";
import { VIN_DATA_VERSION } from "./vin-data.ts";
import type { VinReport, VinSource } from "./vin-report.ts";

/** What reading a VIN needs. */
export interface VinPorts {
  /** The file of a maker code, by its first three characters; null where there is none. */
  makerFile(code: string): Promise<MakerFile | null>;
  /** Reports that were made before; what is not there is null, and nothing throws. */
  kept: {
    get(key: string): Promise<KeptReport | null>;
    set(key: string, kept: KeptReport): Promise<void>;
  };
  /** Our own data and the services that are on, in the order in which they are asked. */
  order: readonly VinSource[];
  /** Asks a service. A failure is a value; nothing throws. */
  ask(service: ServiceName, vins: readonly string[]): Promise<ServiceAnswer>;
  background(work: Promise<unknown>): void;
}

/** A report as it is kept. */
export interface KeptReport {
  report: VinReport;
  /** The services that were asked for it, with or without an answer. */
  asked: readonly ServiceName[];
  /** Until when it holds, in milliseconds since 1970. */
  until: number;
}

/** The form of the reports that are kept; another number for each change of it. */
const REPORT_FORMAT = 2;

/**
 * Where the report of a VIN is kept: another version of the data, and another order of services, keep their own.
 * @param vin in its plain form
 */
export const reportKey = (order: readonly VinSource[], vin: string) =>
  `vin:${REPORT_FORMAT}:${VIN_DATA_VERSION}:${order.join("-")}:${vin}`;
