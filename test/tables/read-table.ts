import { bytesSource, type ByteSource } from "#core/tables/byte-source.ts";
import {
  openTable,
  type Cell,
  type TableBatch,
  type TableOptions,
  type TablePosition,
} from "#core/tables/table.ts";

/** A file whose bytes come in chunks of these lengths, over and over. */
export function choppedSource(bytes: Uint8Array, lengths: readonly number[]): ByteSource {
  return {
    size: bytes.length,
    stream: async (from, to = bytes.length) => {
      let at = from;
      let turn = 0;
      return new ReadableStream<Uint8Array>({
        pull(controller) {
          const end = Math.min(to, at + (lengths[turn % lengths.length] ?? 1));
          turn += 1;
          if (end > at) controller.enqueue(bytes.slice(at, end));
          at = end;
          if (at >= to) controller.close();
        },
      });
    },
  };
}

/** Everything that a table says, batch after batch. */
export async function readTable(
  source: ByteSource | Uint8Array,
  options: TableOptions & { from?: TablePosition } = {},
): Promise<{ rows: Cell[][]; lines: number[]; broken: number[]; batches: TableBatch[] }> {
  const table = await openTable(
    source instanceof Uint8Array ? bytesSource(source) : source,
    options,
  );
  const batches: TableBatch[] = [];
  for await (const batch of table.batches(options.from)) batches.push(batch);
  return {
    rows: batches.flatMap(({ rows }) => rows),
    lines: batches.flatMap(({ lines }) => lines),
    broken: batches.flatMap(({ broken }) => broken.map(({ line }) => line)),
    batches,
  };
}
