import { describe, expect, it } from "vitest";
import { continueTrace, traceparentOf } from "./trace-context.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const SPAN = "b7ad6b7169203331";

describe("trace context", () => {
  it("continues the caller's trace with a span of its own", () => {
    const trace = continueTrace(`00-${TRACE}-${SPAN}-01`, "vendor=1");
    expect(trace).toMatchObject({
      traceId: TRACE,
      parentId: SPAN,
      sampled: true,
      traceState: "vendor=1",
    });
    expect(trace.spanId).not.toBe(SPAN);
    expect(traceparentOf(trace)).toBe(`00-${TRACE}-${trace.spanId}-01`);
  });

  it("keeps the caller's decision not to sample", () => {
    expect(traceparentOf(continueTrace(`00-${TRACE}-${SPAN}-00`))).toMatch(/-00$/);
  });

  it("takes a later version with more fields", () => {
    expect(continueTrace(`01-${TRACE}-${SPAN}-01-more`).traceId).toBe(TRACE);
  });

  it.each([
    null,
    "",
    "nonsense",
    `ff-${TRACE}-${SPAN}-01`,
    `00-${"0".repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${"0".repeat(16)}-01`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
  ])("begins a trace of its own where the header is %j", (header) => {
    const trace = continueTrace(header, "vendor=1");
    expect(trace.traceId).toMatch(/^[0-9a-f]{32}$/);
    expect(trace.traceId).not.toBe(TRACE);
    expect(trace).toMatchObject({ parentId: null, traceState: null });
  });
});
