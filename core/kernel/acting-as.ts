import type { Context, TransactionContext } from "./context.ts";
import type { Principal } from "./principal.ts";

/** The same context for somebody else, in its transactions as well. */
export function actingAs(context: TransactionContext, principal: Principal): TransactionContext;
export function actingAs(context: Context, principal: Principal): Context;
export function actingAs(context: Context, principal: Principal): Context {
  return {
    ...context,
    principal,
    transaction: (work) => context.transaction((inner) => work(actingAs(inner, principal))),
  };
}
