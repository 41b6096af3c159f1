import { requireScope, requireTeam } from "#core/kernel/principal.ts";
import { answerMcp } from "../mcp-server.ts";
import { createRouter } from "../openapi.ts";

/** `/mcp`, for clients of the Model Context Protocol by Streamable HTTP; docs/skills.md says how they connect. */
export const mcpRoutes = createRouter();

mcpRoutes.all("/mcp", async (c) => {
  const principal = c.get("principal");
  requireTeam(principal);
  requireScope(principal, "skills");
  const work = answerMcp(c);
  c.executionCtx.waitUntil(work.catch(() => undefined)); // goes on when the client hangs up, so that it is accounted for
  return work;
});
