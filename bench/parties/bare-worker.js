/**
 * The least that a proxy on workerd can be: one fetch, both bodies streamed through untouched.
 * It knows no key, reads no body and counts nothing, so it is the limit for everything on workerd.
 */
export default {
  fetch(request, env) {
    return fetch(env.UPSTREAM + new URL(request.url).pathname, request);
  },
};
