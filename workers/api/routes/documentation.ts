import { createRouter } from "../openapi.ts";

/** `/docs` and its files, from the static assets; `/openapi.json` is added by the app, which knows all routes. */
export const documentationRoutes = createRouter();

documentationRoutes.get("/docs", (c) => c.redirect("/docs/", 308));
documentationRoutes.get("/docs/*", (c) => c.get("deps").assets.fetch(c.req.raw));
