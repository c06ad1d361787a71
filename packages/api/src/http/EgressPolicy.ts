import { lookup as systemLookup } from "node:dns"
import type { LookupFunction } from "node:net"
import ipaddr from "ipaddr.js"

/**
 * - `private`: RFC 1918, unique local and carrier-grade NAT addresses, and everything that stays on
 *   this machine (`loopback`).
 * - `loopback`: 127.0.0.0/8, ::1 and the unspecified address.
 * - `link-local`: 169.254.0.0/16, fe80::/10; the usual metadata address is one.
 * - `metadata`: the addresses at which clouds hand out credentials.
 */
export type EgressRange = "private" | "loopback" | "link-local" | "metadata"

/** Which addresses runs may not connect to. */
export interface EgressOptions {
  readonly deny: ReadonlyArray<EgressRange>
  /** Host names or addresses that are let through all the same, as they stand in the base URL. */
  readonly allow?: ReadonlyArray<string> | undefined
  /** Replaces `dns.lookup`. What it resolves to is checked, and is what is connected to. */
  readonly lookup?: LookupFunction | undefined
}

type Address = ipaddr.IPv4 | ipaddr.IPv6

const metadata: ReadonlySet<string> = new Set([
  "169.254.169.254",
  "169.254.170.2",
  "169.254.170.23",
  "fd00:ec2::254",
  "fd00:ec2::23",
  "fd20:ce::254",
  "100.100.100.200",
  "168.63.129.16",
  "192.0.0.192"
])

const ranges: Readonly<Record<string, EgressRange>> = {
  private: "private",
  uniqueLocal: "private",
  carrierGradeNat: "private",
  loopback: "loopback",
  unspecified: "loopback",
  linkLocal: "link-local"
}

/** IPv4 addresses that an IPv6 address stands for: mapped, NAT64 (RFC 6052, 8215), 6to4 (RFC 3056), compatible. */
const embedded = (address: ipaddr.IPv6): Array<ipaddr.IPv4> => {
  const [a, b, c, d, e, f, high, low] = address.parts as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number
  ]
  const v4 = (upper: number, lower: number) =>
    new ipaddr.IPv4([upper >> 8, upper & 0xff, lower >> 8, lower & 0xff])
  if (a === 0x64 && b === 0xff9b) return [v4(high, low)]
  if (a === 0x2002) return [v4(b, c)]
  const zeros = a === 0 && b === 0 && c === 0 && d === 0
  // ::a.b.c.d, ::ffff:a.b.c.d and ::ffff:0:a.b.c.d
  if (zeros && (e === 0 || e === 0xffff) && (f === 0 || f === 0xffff) && (high !== 0 || low > 1)) {
    return [v4(high, low)]
  }
  return []
}

const rangeOf = (address: Address): EgressRange | undefined =>
  metadata.has(address.toString()) ? "metadata" : ranges[address.range()]

/** Thrown out of name resolution; carries no address, only where it was going and which rule held. */
export class EgressRefusal extends Error {
  readonly code = "DUCTAPE_EGRESS_DENIED"
  readonly host: string
  readonly range: EgressRange

  constructor(host: string, range: EgressRange) {
    super(`'${host}' is, or resolves to, an address in a denied range (${range})`)
    this.host = host
    this.range = range
  }
}

const bare = (host: string): string =>
  host
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "")
    .toLowerCase()

export class EgressPolicy {
  readonly #deny: ReadonlySet<EgressRange>
  readonly #allow: ReadonlySet<string>
  readonly #lookup: LookupFunction

  constructor(options: EgressOptions) {
    const deny = new Set(options.deny)
    if (deny.has("private")) deny.add("loopback")
    // The metadata address is link-local, so whoever denies link-local denies it as well.
    if (deny.has("link-local")) deny.add("metadata")
    this.#deny = deny
    this.#allow = new Set((options.allow ?? []).map(bare))
    this.#lookup = options.lookup ?? (systemLookup as LookupFunction)
  }

  /** The denied range of an address in text form. Text that is no address is denied as `private`. */
  denied(address: string): EgressRange | undefined {
    const text = address.split("%")[0] ?? ""
    if (!ipaddr.isValid(text)) return "private"
    const parsed = ipaddr.parse(text)
    const all = parsed instanceof ipaddr.IPv6 ? [parsed, ...embedded(parsed)] : [parsed]
    for (const one of all) {
      const range = rangeOf(one)
      if (range !== undefined && this.#deny.has(range)) return range
      if (range === "metadata" && this.#deny.has("private") && one.range() !== "unicast") return "private"
    }
    return undefined
  }

  /** A host that is an address needs no resolution, so it is checked before connecting. */
  checkHost(hostname: string): void {
    const host = bare(hostname)
    if (this.#allow.has(host) || !ipaddr.isValid(host)) return
    const range = this.denied(host)
    if (range !== undefined) throw new EgressRefusal(host, range)
  }

  /**
   * Resolves for `net.connect`, which then uses these very addresses: there is no second resolution
   * that could answer differently. One denied address among several refuses the host.
   */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    if (this.#allow.has(bare(hostname))) {
      this.#lookup(hostname, options, callback)
      return
    }
    this.#lookup(hostname, { ...options, all: true }, (error, found, family) => {
      if (error !== null) {
        callback(error, "", 0)
        return
      }
      const all = Array.isArray(found) ? found : [{ address: found, family: family ?? 4 }]
      for (const { address } of all) {
        const range = this.denied(address)
        if (range !== undefined) {
          callback(new EgressRefusal(bare(hostname), range), "", 0)
          return
        }
      }
      if (options.all === true) callback(null, all)
      else callback(null, all[0]?.address ?? "", all[0]?.family ?? 4)
    })
  }
}
