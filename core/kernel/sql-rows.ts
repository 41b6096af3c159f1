import { z } from "zod";

const result = z.object({ rows: z.array(z.unknown()) });

/**
 * The rows of a raw statement, checked. For statements that drizzle's builder cannot say; both of Neon's drivers and
 * node-postgres hand out `{ rows }`. Moments and 64-bit numbers are best cast to text in the statement, since the
 * drivers read them differently.
 */
export function rowsOf<Row extends z.ZodType>(row: Row, raw: unknown): z.output<Row>[] {
  return z.array(row).parse(result.parse(raw).rows);
}
