import { AppError } from "../kernel/errors.ts";

/** A file or a part of one, as a request brings it. */
export interface ReceivedBody {
  stream: ReadableStream<Uint8Array>;
  /** In bytes, as the request says it; null where it does not. */
  length: number | null;
}

/**
 * A body that is known to have so many bytes. One that says its length is passed on as it is, which costs nothing; one
 * that does not is counted.
 * @throws AppError `validation_failed` at once, or by `fault` once the bytes have come
 */
export function exactly(
  body: ReceivedBody,
  size: number,
): { stream: ReadableStream<Uint8Array>; fault(): AppError | null } {
  if (body.length !== null) {
    if (body.length !== size) throw wrongSize(body.length, size);
    return { stream: body.stream, fault: () => null };
  }
  return counted(body.stream, {
    least: size,
    most: size,
    refusal: (seen) => wrongSize(seen, size),
  });
}

/** A body that may have so many bytes at most. @throws as `exactly`, with `body_too_large` */
export function atMost(
  body: ReceivedBody,
  most: number,
): { stream: ReadableStream<Uint8Array>; fault(): AppError | null } {
  if (body.length !== null) {
    if (body.length > most) throw tooLarge(most);
    return { stream: body.stream, fault: () => null };
  }
  return counted(body.stream, { least: 0, most, refusal: () => tooLarge(most) });
}

interface Bounds {
  least: number;
  most: number;
  refusal(seen: number): AppError;
}

/** The store wraps what a stream throws in an error of its own, so the fault is told beside it. */
function counted(
  stream: ReadableStream<Uint8Array>,
  { least, most, refusal }: Bounds,
): { stream: ReadableStream<Uint8Array>; fault(): AppError | null } {
  let seen = 0;
  let fault: AppError | null = null;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      seen += chunk.length;
      if (seen > most) throw (fault = refusal(seen));
      controller.enqueue(chunk);
    },
    flush() {
      if (seen < least) throw (fault = refusal(seen));
    },
  });
  return { stream: stream.pipeThrough(counter), fault: () => fault };
}

function wrongSize(came: number, size: number): AppError {
  return new AppError("validation_failed", {
    message: `This part must have ${size} bytes, and ${came} came. Each part has the upload's part_size, the last one the rest.`,
    fields: [{ path: "body", message: `must have ${size} bytes` }],
  });
}

function tooLarge(most: number): AppError {
  return new AppError("body_too_large", {
    message: `The file is over ${most / 1_048_576} MiB. Send it in parts: POST /v1/uploads.`,
  });
}
