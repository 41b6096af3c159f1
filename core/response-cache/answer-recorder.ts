const encoder = new TextEncoder();

/** Notes a stream down while it is read, as long as it is small enough to be kept. */
export class AnswerRecorder {
  /** The largest answer that is kept, in bytes: sealed it has to fit into one request of 1 MB to the cache. */
  static readonly LIMIT = 500_000;

  /** Whether an answer in one piece is too large to be kept. */
  static isTooLarge(text: string): boolean {
    if (text.length > AnswerRecorder.LIMIT) return true;
    // A unit of UTF-16 takes three bytes at most.
    return (
      text.length * 3 > AnswerRecorder.LIMIT && encoder.encode(text).length > AnswerRecorder.LIMIT
    );
  }

  private pieces: Uint8Array[] | null = null;
  private size = 0;

  /** The body, which is noted down as it passes, after what was read of it already. */
  listen(body: ReadableStream<Uint8Array>, head: Uint8Array[]): ReadableStream<Uint8Array> {
    this.pieces = [];
    for (const piece of head) this.note(piece);
    const tap = new TransformStream<Uint8Array, Uint8Array>({
      transform: (piece, controller) => {
        this.note(piece);
        controller.enqueue(piece);
      },
    });
    return body.pipeThrough(tap);
  }

  /** What was noted down; null where there was nothing, or too much. */
  text(): string | null {
    if (!this.pieces) return null;
    const decoder = new TextDecoder();
    return this.pieces.map((piece) => decoder.decode(piece, { stream: true })).join("");
  }

  private note(piece: Uint8Array): void {
    this.size += piece.length;
    if (this.size > AnswerRecorder.LIMIT) this.pieces = null;
    this.pieces?.push(piece.slice()); // whoever reads it may write into it
  }
}
