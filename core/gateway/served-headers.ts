/** Who answered a request, or was asked last where nobody did, and how many attempts that took. */
export interface Served {
  provider: string;
  attempts: number;
}

/** Says in an answer's fields who gave it. @param put a plain object and `Headers` both will do */
export function putServedHeaders(
  { provider, attempts }: Served,
  put: (name: string, value: string) => void,
): void {
  put("x-switchyard-provider", provider);
  put("x-switchyard-attempts", String(attempts));
}
