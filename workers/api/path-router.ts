import type { Result, Router } from "hono/router";
import { TrieRouter } from "hono/router/trie-router";

/**
 * Hono's router that takes any set of paths. It walks a tree for each request; what it finds for paths without
 * parameters, such as /v1/chat/completions, is always the same and is remembered. (Hono's fastest router takes no
 * such path beside one with a parameter, as /v1/keys/verify beside /v1/keys/:id.)
 */
export class PathRouter<T> implements Router<T> {
  readonly name = "PathRouter";
  private readonly tree = new TrieRouter<T>();
  /** By method and path; null where nobody has asked yet. As many as there are routes. */
  private readonly fixed = new Map<string, Result<T> | null>();

  add(method: string, path: string, handler: T): void {
    this.tree.add(method, path, handler);
    if (!/[:*{?]/.test(path)) this.fixed.set(`${method} ${path}`, null);
  }

  match(method: string, path: string): Result<T> {
    const name = `${method} ${path}`;
    const known = this.fixed.get(name);
    if (known) return known;
    const found = this.tree.match(method, path);
    if (known === null) this.fixed.set(name, found);
    return found;
  }
}
