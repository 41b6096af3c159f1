import type { Json } from "../../jobs/job-type.ts";
import type { TablePosition } from "../../tables/table.ts";
import type { Field } from "./field.ts";
import type { DayOrder } from "./read-day.ts";
import type { DecimalMark } from "./read-number.ts";

/** Where a sheet keeps what: columns from 0. Plain JSON, since a job keeps it. */
export interface SheetLayout {
  /** Line of the header's last row; what stands above is no data. */
  headerLine: number;
  /** The header's texts, as they are. */
  names: string[];
  columns: Partial<Record<Field, number>>;
  /** Of rows that say none. */
  platform: string;
  currency: string;
  /** Of a sheet with columns for each channel (`tv_spend`, `search_spend` …): what each has. Empty for all others. */
  channels: ChannelColumns[];
}

export interface ChannelColumns {
  name: string;
  impressions: number | null;
  clicks: number | null;
  spend: number | null;
}

/** How a file is read, found out once. */
export interface FoundPlan {
  mark: DecimalMark;
  order: DayOrder;
  /** Sheets with data, by name; of a CSV file one, by the name "". */
  sheets: Record<string, SheetLayout>;
}

/** The same with what makes it the same import as another. */
export interface ImportPlan extends FoundPlan {
  contentHash: string;
}

/** The same as the JSON that it is; a type of its own for each has no index signature. */
export const asJson = (value: ImportPlan | TablePosition): Json => value as unknown as Json;
