import { HEX } from "./digest.ts";
import { randomByte } from "./random-byte.ts";

/** W3C Trace Context, level 1: https://www.w3.org/TR/trace-context/ */
export interface TraceContext {
  /** 32 hex digits. */
  traceId: string;
  /** Our own span within it, 16 hex digits. */
  spanId: string;
  /** The caller's span, where the caller sent one. */
  parentId: string | null;
  sampled: boolean;
  /** Passed on as it came. */
  traceState: string | null;
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

function randomHex(bytes: number): string {
  let hex = "";
  for (let i = 0; i < bytes; i++) hex += HEX[randomByte()];
  return hex;
}

/** Continues the caller's trace, or begins one where the header is missing or malformed. */
export function continueTrace(
  traceparent: string | null | undefined,
  tracestate?: string | null,
): TraceContext {
  const match = traceparent ? TRACEPARENT.exec(traceparent.trim()) : null;
  const [, version, traceId, parentId, flags, more] = match ?? [];
  const usable =
    traceId !== undefined &&
    parentId !== undefined &&
    flags !== undefined &&
    version !== "ff" &&
    !/^0+$/.test(traceId) &&
    !/^0+$/.test(parentId) &&
    (version !== "00" || more === undefined);
  if (!usable)
    return {
      traceId: randomHex(16),
      spanId: randomHex(8),
      parentId: null,
      sampled: true,
      traceState: null,
    };
  return {
    traceId,
    spanId: randomHex(8),
    parentId,
    sampled: (Number.parseInt(flags, 16) & 1) === 1,
    traceState: tracestate && tracestate.length <= 512 ? tracestate : null,
  };
}

/** The header for a call that we make within this trace. */
export function traceparentOf(trace: TraceContext): string {
  return `00-${trace.traceId}-${trace.spanId}-${trace.sampled ? "01" : "00"}`;
}
