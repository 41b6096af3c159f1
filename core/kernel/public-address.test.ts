import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addressFault, isPublicHost } from "./public-address.ts";

const strict = { allowPrivate: false };
const refused = (address: string) => addressFault(address, strict) !== null;

describe("public addresses", () => {
  test.each([
    "https://api.openai.com/v1",
    "http://api.openai.com",
    "https://api.openai.com.:8443/v1",
    "https://8.8.8.8/v1",
    "https://172.15.255.255",
    "https://172.32.0.0",
    "https://100.63.255.255",
    "https://100.128.0.0",
    "https://169.253.255.255",
    "https://168.63.129.15",
    "https://192.167.255.255",
    "https://223.255.255.255",
    "https://[2606:4700:4700::1111]/v1",
    "https://[2a00:1450:4001:829::200e]",
    "https://[3fff:1000::1]",
    "https://localhost.com",
    "https://notlocal.dev",
    "https://xn--bcher-kva.ch",
  ])("%s is fine", (address) => {
    expect(addressFault(address, strict)).toBeNull();
  });
});

describe("addresses that are not on the public internet", () => {
  test.each([
    // Loopback in every notation that URL parsers take
    "http://127.0.0.1",
    "http://127.1",
    "http://127.255.255.254:8080/v1",
    "http://2130706433",
    "http://0x7f000001",
    "http://0x7f.1",
    "http://0177.0.0.1",
    "http://0177.0x0.0.1",
    "http://017700000001",
    "http://127.0.0.1.",
    "http://①②⑦.0.0.1",
    "http://127。0。0。1",
    "http://%31%32%37.0.0.1",
    "http://0",
    "http://0.0.0.0",
    // Private, carrier, link-local, benchmark, documentation, multicast, reserved
    "http://10.0.0.1",
    "http://10.255.255.255",
    "http://0xa000001",
    "http://100.64.0.1",
    "http://100.127.255.255",
    "http://172.16.0.1",
    "http://172.31.255.255",
    "http://192.168.0.1",
    "http://192.168.257",
    "http://198.18.0.1",
    "http://192.0.2.1",
    "http://198.51.100.1",
    "http://203.0.113.1",
    "http://224.0.0.1",
    "http://239.255.255.255",
    "http://240.0.0.1",
    "http://255.255.255.255",
    // Metadata services
    "http://169.254.169.254/latest/meta-data/",
    "http://0xa9fea9fe",
    "http://0251.0376.0251.0376",
    "http://2852039166",
    "http://169.254.169.254.nip.io",
    "http://100.100.100.200",
    "http://168.63.129.16",
    "http://192.0.0.192",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://[fd00:ec2::254]",
    // IPv6
    "http://[::1]",
    "http://[0:0:0:0:0:0:0:1]",
    "http://[::]",
    "http://[::ffff:127.0.0.1]",
    "http://[::ffff:7f00:1]",
    "http://[::ffff:8.8.8.8]",
    "http://[::127.0.0.1]",
    "http://[::ffff:0:127.0.0.1]",
    "http://[64:ff9b::7f00:1]",
    "http://[64:ff9b:1::1]",
    "http://[100::1]",
    "http://[2001::1]",
    "http://[2001:0:7f00:1::]",
    "http://[2001:1ff::1]",
    "http://[2001:db8::1]",
    "http://[2002:7f00:1::]",
    "http://[3fff:fff::1]",
    "http://[5f00::1]",
    "http://[fc00::1]",
    "http://[fdff:ffff::1]",
    "http://[fe80::1]",
    "http://[fec0::1]",
    "http://[ff02::1]",
    // Names of this machine and its network
    "http://localhost",
    "http://LOCALHOST:8080",
    "http://localhost.",
    "http://localhost..",
    "http://api.localhost",
    "http://printer.local",
    "http://vault.internal",
    "http://router.lan",
    "http://nas.home.arpa",
    "http://postgres",
    "http://kubernetes.default.svc.cluster.local",
    "http://127.0.0.1.nip.io",
    "http://lvh.me",
  ])("%s is refused", (address) => {
    expect(refused(address)).toBe(true);
  });

  test.each(["http://127.0.0.1:9/v1", "http://[::1]:9", "http://localhost:9", "http://10.0.0.7"])(
    "%s is fine where development allows it",
    (address) => {
      expect(addressFault(address, { allowPrivate: true })).toBeNull();
    },
  );
});

describe("addresses that are none", () => {
  test.each([
    "",
    "api.openai.com/v1",
    "/v1",
    "https://",
    "http://[::1",
    "http://256.256.256.256",
    "http://exa mple.com",
  ])("%j is refused in every case", (address) => {
    expect(addressFault(address, { allowPrivate: true })?.message).toContain("absolute URL");
  });

  test.each([
    "ftp://example.com",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "data:text/plain,x",
    "ws://api.openai.com",
  ])("%s is refused for its scheme in every case", (address) => {
    expect(addressFault(address, { allowPrivate: true })?.message).toContain("https://");
  });

  test.each([
    "https://user:pass@api.openai.com",
    "https://user@api.openai.com",
    "https://:pass@api.openai.com",
    "https://@api.openai.com",
    "https://:@api.openai.com",
    "https:\\\\user:pass@api.openai.com",
    "https://api.openai.com@10.0.0.1",
  ])("%s is refused for its credentials in every case", (address) => {
    expect(addressFault(address, { allowPrivate: true })?.message).toContain("password");
  });

  test("the sentence never repeats the address, which may hold a secret", () => {
    const message = addressFault("https://user:hunter2@api.openai.com", strict)?.message;
    expect(message).not.toContain("hunter2");
  });
});

describe("every notation of one address gets one answer", () => {
  const octet = fc.integer({ min: 0, max: 255 });
  const base = fc.constantFrom(10, 8, 16);
  const inBase = (value: number, radix: number) =>
    radix === 10 ? String(value) : (radix === 8 ? "0" : "0x") + value.toString(radix);

  test("IPv4, with each part in its own base, and as one number", () => {
    fc.assert(
      fc.property(octet, octet, octet, octet, base, base, (a, b, c, d, first, last) => {
        const expected = isPublicHost(`${a}.${b}.${c}.${d}`);
        const mixed = `http://${inBase(a, first)}.${b}.${inBase(c, last)}.${d}/`;
        const whole = `http://${inBase(((a * 256 + b) * 256 + c) * 256 + d, first)}/`;
        expect(refused(mixed)).toBe(!expected);
        expect(refused(whole)).toBe(!expected);
      }),
    );
  });

  test("no IPv4 address passes when it is written as a mapped IPv6 one", () => {
    fc.assert(
      fc.property(octet, octet, octet, octet, (a, b, c, d) => {
        expect(refused(`http://[::ffff:${a}.${b}.${c}.${d}]/`)).toBe(true);
      }),
    );
  });
});
