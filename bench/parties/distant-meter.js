/**
 * The Meter as an isolate sees it: an object that runs elsewhere. This one passes on what it is asked to the real one
 * in another process, which has the same id.
 */
import { DurableObject } from "cloudflare:workers";

export class Meter extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    const there = env.PROCESS.connect(env.ADDRESS).getActor("api", "Meter", ctx.id.toString());
    return new Proxy(this, {
      get: (own, name) => (Reflect.has(own, name) ? Reflect.get(own, name) : there[name]),
    });
  }
}
