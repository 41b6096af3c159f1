/** Development only: puts the three Workers on one port, which `wrangler dev` gives to the first of them. */

interface Env {
  API: Fetcher;
  BOT: Fetcher;
  CRON: ScheduledFetcher;
  /** Known to the launcher alone; it may do what nobody else may. */
  FRONT_TOKEN: string;
}

/** A binding with what the compatibility flag service_binding_extra_handlers adds to it. */
interface ScheduledFetcher extends Fetcher {
  scheduled(event: { cron: string; scheduledTime: Date }): Promise<{ outcome: string }>;
}

/** Where the launcher fires the schedules: locally nothing else does. */
const TICK_PATH = "/__switchyard/tick";

async function tick(env: Env): Promise<Response> {
  const { outcome } = await env.CRON.scheduled({ cron: "* * * * *", scheduledTime: new Date() });
  return Response.json({ outcome }, { status: outcome === "ok" ? 200 : 500 });
}

/** The bot's own routes stand below /bot, where they don't collide with those of the api Worker. */
function withoutPrefix(request: Request, url: URL): Request {
  const target = new URL(url);
  target.pathname = url.pathname.slice("/bot".length);
  return new Request(target, request);
}

export default {
  fetch(request, env) {
    const url = new URL(request.url);
    if (url.pathname === TICK_PATH && request.headers.get("x-front-token") === env.FRONT_TOKEN)
      return tick(env);
    if (url.pathname.startsWith("/telegram/")) return env.BOT.fetch(request);
    if (url.pathname.startsWith("/bot/")) return env.BOT.fetch(withoutPrefix(request, url));
    return env.API.fetch(request);
  },
} satisfies ExportedHandler<Env>;
