/**
 * How much of a file is asked for at once, in bytes. Whoever reads one waits for the database between its pieces; one
 * long answer would stand open for minutes, and stores send on what nobody reads yet, into memory.
 */
const PIECE_BYTES = 8 * 1_048_576;

/**
 * A part of a file as a stream, each piece of which is asked for when the one before it has been read.
 * @param piece asks for so many bytes from an offset; may be called for the whole part
 * @throws whatever the first piece's asking throws; that of later ones comes out of the stream
 */
export async function inPieces(
  piece: (offset: number, length: number) => Promise<ReadableStream<Uint8Array>>,
  from: number,
  to: number,
): Promise<ReadableStream<Uint8Array>> {
  let at = from;
  let asked = at;
  const next = async () => {
    asked = at;
    return (await piece(at, Math.min(PIECE_BYTES, to - at))).getReader();
  };
  let reader = await next();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        for (;;) {
          const { done, value } = await reader.read();
          if (!done) {
            at += value.length;
            return controller.enqueue(value);
          }
          if (at >= to) return controller.close();
          if (at === asked) throw new Error(`The file ended at ${at} of ${to} bytes`);
          reader = await next();
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}
