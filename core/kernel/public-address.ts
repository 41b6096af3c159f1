/** Why an address given by a user is not called: a sentence that says what is wrong with it. */
export interface AddressFault {
  message: string;
}

export interface AddressRules {
  /** Development only: private, loopback and link-local addresses are fine. */
  allowPrivate: boolean;
}

/** Blocks of IPv4 that are not the public internet (IANA's special-purpose registry), as base and prefix length. */
const SPECIAL_IPV4: readonly [string, number][] = [
  ["0.0.0.0", 8], // this network; 0.0.0.0 reaches the machine itself
  ["10.0.0.0", 8], // private
  ["100.64.0.0", 10], // carrier-grade NAT; holds Alibaba's metadata service, 100.100.100.200
  ["127.0.0.0", 8], // loopback
  ["168.63.129.16", 32], // Azure's host agent, a public address that only its own machines reach
  ["169.254.0.0", 16], // link-local; holds the metadata service of most clouds, 169.254.169.254
  ["172.16.0.0", 12], // private
  ["192.0.0.0", 24], // protocol assignments; holds Oracle's metadata service, 192.0.0.192
  ["192.0.2.0", 24], // documentation
  ["192.31.196.0", 24], // AS112
  ["192.52.193.0", 24], // AMT
  ["192.88.99.0", 24], // 6to4 relays
  ["192.168.0.0", 16], // private
  ["192.175.48.0", 24], // AS112
  ["198.18.0.0", 15], // benchmarks
  ["198.51.100.0", 24], // documentation
  ["203.0.113.0", 24], // documentation
  ["224.0.0.0", 4], // multicast
  ["240.0.0.0", 4], // reserved, and broadcast
];

/**
 * Blocks within 2000::/3, the only public part of IPv6, that lead elsewhere: as the first 32 bits and a prefix length.
 * Everything outside 2000::/3 is refused as a whole: loopback, mapped and translated IPv4, unique local (AWS's
 * metadata service fd00:ec2::254 among them), link-local, site-local, multicast.
 */
const SPECIAL_IPV6: readonly [number, number][] = [
  [0x20010000, 23], // protocol assignments; holds Teredo, which wraps IPv4
  [0x20010db8, 32], // documentation
  [0x20020000, 16], // 6to4, which wraps IPv4
  [0x3fff0000, 20], // documentation
];

/** Names that lead to this machine or its network, whatever stands before them. */
const PRIVATE_SUFFIXES = [
  "localhost",
  "localdomain",
  "local",
  "internal",
  "intranet",
  "private",
  "corp",
  "home",
  "lan",
  "home.arpa",
  "in-addr.arpa",
  "ip6.arpa",
  "test",
];

/** Public names that resolve to whatever address is written in them, the private ones too. */
const WILDCARD_SUFFIXES = ["nip.io", "sslip.io", "xip.io", "localtest.me", "lvh.me", "vcap.me"];

/**
 * Checks an address that a user gave before it is called or stored: http or https, without credentials, and on the
 * public internet. A name is judged by its letters only: what it resolves to is not known here, so callers must not
 * follow redirects, and a private network must not be reachable from where the Workers run.
 * @returns null where the address is fine
 */
export function addressFault(address: string, rules: AddressRules): AddressFault | null {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (!url) return { message: "must be an absolute URL, such as https://api.example.com/v1" };
  if (url.protocol !== "https:" && url.protocol !== "http:")
    return { message: "must begin with https:// or http://" };
  if (url.username !== "" || url.password !== "" || /^[a-z]+:[/\\]*[^/\\?#]*@/i.test(address))
    return { message: "must not hold a user name or a password; give the key in its own field" };
  if (rules.allowPrivate || isPublicHost(url.hostname)) return null;
  return {
    message:
      "must be on the public internet: private, loopback, link-local and metadata addresses are refused",
  };
}

/**
 * Whether a host is on the public internet.
 * @param hostname as `URL.hostname` gives it: in lower case, IPv4 in four decimal parts whatever notation was used, IPv6 in brackets
 */
export function isPublicHost(hostname: string): boolean {
  if (hostname.startsWith("[")) {
    const groups = parseIpv6(hostname.slice(1, -1));
    return groups !== null && isPublicIpv6(groups);
  }
  const name = hostname.replace(/\.+$/, "");
  if (/^[\d.]+$/.test(name)) {
    const value = parseIpv4(name);
    return value !== null && isPublicIpv4(value);
  }
  // A name without a dot is one of this network.
  return (
    name.includes(".") &&
    ![...PRIVATE_SUFFIXES, ...WILDCARD_SUFFIXES].some((suffix) => endsIn(name, suffix))
  );
}

function endsIn(name: string, suffix: string): boolean {
  return name === suffix || name.endsWith(`.${suffix}`);
}

function isPublicIpv4(value: number): boolean {
  return !SPECIAL_IPV4.some(([base, length]) => sharesPrefix(value, parseIpv4(base) ?? 0, length));
}

function isPublicIpv6(groups: number[]): boolean {
  const first = (groups[0] ?? 0) * 0x10000 + (groups[1] ?? 0);
  if (!sharesPrefix(first, 0x20000000, 3)) return false;
  return !SPECIAL_IPV6.some(([base, length]) => sharesPrefix(first, base, length));
}

/** Whether two numbers of 32 bits are the same in their first `length` bits. */
function sharesPrefix(a: number, b: number, length: number): boolean {
  const size = 2 ** (32 - length);
  return Math.floor(a / size) === Math.floor(b / size);
}

function parseIpv4(text: string): number | null {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256))
    return null;
  return parts.reduce((value, part) => value * 256 + Number(part), 0);
}

/** Eight groups of 16 bits. `URL` has already turned an IPv4 tail into groups. */
function parseIpv6(text: string): number[] | null {
  const [head = "", tail, ...more] = text.split("::");
  if (more.length > 0) return null;
  const before = groupsOf(head);
  const after = tail === undefined ? [] : groupsOf(tail);
  const missing = 8 - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return null;
  const groups = [...before, ...Array.from({ length: missing }, () => 0), ...after];
  return groups.every((group) => group >= 0 && group <= 0xffff) ? groups : null;
}

function groupsOf(text: string): number[] {
  if (text === "") return [];
  return text
    .split(":")
    .map((group) => (/^[0-9a-f]{1,4}$/i.test(group) ? Number.parseInt(group, 16) : -1));
}
