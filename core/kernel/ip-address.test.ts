import { describe, expect, it } from "vitest";
import { inBlock, parseIp, parseIpBlock } from "./ip-address.ts";

function holds(block: string, address: string): boolean {
  const parsed = parseIpBlock(block);
  const ip = parseIp(address);
  if ("fault" in parsed || ip === null) throw new Error(`${block} or ${address} cannot be read`);
  return inBlock(ip, parsed.block);
}

describe("a block", () => {
  it.each([
    ["203.0.113.7", "203.0.113.7"],
    ["203.0.113.0/24", "203.0.113.255"],
    ["0.0.0.0/0", "255.255.255.255"],
    ["128.0.0.0/1", "200.1.1.1"],
    ["203.0.113.7", "::ffff:203.0.113.7"],
    ["::ffff:203.0.113.0/120", "203.0.113.9"],
    ["::ffff:203.0.113.9", "203.0.113.9"],
    ["2001:db8::/32", "2001:db8:ffff::1"],
    ["2001:db8::1", "2001:0DB8:0:0:0:0:0:1"],
    ["2001:db8:0:8000::/49", "2001:db8:0:8fff::"],
    ["::/0", "fe80::1"],
    ["::1", "0:0:0:0:0:0:0:1"],
  ])("%s holds %s", (block, address) => expect(holds(block, address)).toBe(true));

  it.each([
    ["203.0.113.7", "203.0.113.8"],
    ["203.0.113.0/25", "203.0.113.128"],
    ["128.0.0.0/1", "127.255.255.255"],
    ["::/0", "203.0.113.7"], // of the other family
    ["0.0.0.0/0", "2001:db8::1"],
    ["::/0", "::ffff:203.0.113.7"],
    ["2001:db8::/33", "2001:db8:8000::"],
    ["2001:db8::/128", "2001:db8::1"],
  ])("%s does not hold %s", (block, address) => expect(holds(block, address)).toBe(false));

  it.each([
    ["", "IPv4 or IPv6"],
    ["example.com", "IPv4 or IPv6"],
    ["203.0.113", "IPv4 or IPv6"],
    ["203.0.113.256", "IPv4 or IPv6"],
    ["203.0.113.07", "IPv4 or IPv6"],
    ["0x7f.0.0.1", "IPv4 or IPv6"],
    ["203.0.113.7/24/24", "IPv4 or IPv6"],
    ["203.0.113.7:80", "IPv4 or IPv6"],
    ["[::1]", "IPv4 or IPv6"],
    ["fe80::1%eth0", "IPv4 or IPv6"],
    [":::", "IPv4 or IPv6"],
    ["1::2::3", "IPv4 or IPv6"],
    ["1:2:3:4:5:6:7:8:9", "IPv4 or IPv6"],
    ["1:2:3:4:5:6:7", "IPv4 or IPv6"],
    ["1:2:3:4:5:6:7:8::", "IPv4 or IPv6"],
    ["203.0.113.0/33", "0 to 32"],
    ["203.0.113.0/", "0 to 32"],
    ["203.0.113.0/-1", "0 to 32"],
    ["203.0.113.0/024", "0 to 32"],
    ["2001:db8::/129", "0 to 128"],
    ["203.0.113.7/24", "203.0.113.0/24"],
    ["2001:db8::1/64", "2001:db8::/64"],
  ])("%s is none, and the reason is said", (text, reason) => {
    const parsed = parseIpBlock(text);
    expect("fault" in parsed ? parsed.fault : "").toContain(reason);
  });
});
