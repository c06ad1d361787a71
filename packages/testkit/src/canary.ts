import { randomBytes } from "node:crypto"
import { inspect } from "node:util"

/** A unique, greppable secret: whatever shows it has leaked it. */
export const canary = (name: string): string => `canary-${name}-${randomBytes(12).toString("hex")}`

/** The spellings under which a secret may hide: as is, percent-encoded, hex, and base64 at every alignment. */
const spellings = (secret: string): ReadonlyArray<readonly [how: string, text: string]> => {
  const bytes = Buffer.from(secret)
  const base64 = [0, 1, 2].map((offset) => {
    const padded = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64url")
    // Only the characters that depend on the secret alone.
    return padded.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6))
  })
  return [
    ["as is", secret],
    ["percent-encoded", encodeURIComponent(secret)],
    ["in hex", bytes.toString("hex")],
    ...base64.map((text) => ["in base64", text] as const)
  ]
}

/** Visits a value and everything that can be reached from it, cycles included. */
const walk = (value: unknown, visit: (text: string, how: string) => void) => {
  const seen = new Set<object>()
  // A thing that leads to half the heap (a socket, a module) is not walked to its end.
  const most = 50_000
  /** What cannot be read or shown this way (a throwing accessor, a cycle in JSON) shows nothing. */
  const tried = (read: () => unknown): unknown => {
    try {
      return read()
    } catch {
      return undefined
    }
  }
  const attempt = (how: string, read: () => unknown) => {
    const text = tried(read)
    if (typeof text === "string") visit(text, how)
  }
  const step = (current: unknown, path: string): void => {
    if (typeof current === "string") visit(current, path)
    else if (typeof current === "function") attempt(`${path} as a string`, () => String(current))
    else if (ArrayBuffer.isView(current)) {
      const bytes = Buffer.from(current.buffer, current.byteOffset, current.byteLength)
      visit(bytes.toString("latin1"), `${path} as bytes`)
    } else if (typeof current === "object" && current !== null && !seen.has(current) && seen.size < most) {
      seen.add(current)
      members(current, path)
    }
  }
  const members = (current: object, path: string): void => {
    attempt(`String(${path})`, () => String(current))
    if (current instanceof Map)
      for (const [key, member] of current) {
        step(key, `${path}.key`)
        step(member, `${path}.get()`)
      }
    if (current instanceof Set) for (const member of current) step(member, `${path}.member`)
    for (const key of Reflect.ownKeys(current)) {
      visit(String(key), `a key of ${path}`)
      step(
        tried(() => Reflect.get(current, key)),
        `${path}.${String(key)}`
      )
    }
  }
  step(value, "value")
  attempt("JSON", () => JSON.stringify(value))
  for (const customInspect of [true, false])
    attempt("util.inspect", () =>
      inspect(value, {
        depth: 20,
        showHidden: true,
        customInspect,
        maxArrayLength: null,
        maxStringLength: null
      })
    )
}

/**
 * Fails when a canary can be seen in any of the things: as a string, in a message, a stack, a cause, a
 * hidden property, `util.inspect`, JSON, bytes; plain, percent-encoded, in hex or base64.
 */
export const assertNoCanary = (canaries: ReadonlyArray<string>, ...things: ReadonlyArray<unknown>): void => {
  const wanted = canaries.flatMap((secret) => spellings(secret).map(([how, text]) => ({ secret, how, text })))
  for (const [index, thing] of things.entries())
    walk(thing, (text, place) => {
      const base64 = text.replaceAll("+", "-").replaceAll("/", "_")
      for (const { how, secret, text: spelling } of wanted)
        if (text.includes(spelling) || base64.includes(spelling)) {
          const name = secret.slice(0, secret.lastIndexOf("-"))
          const at = Math.max(0, text.indexOf(spelling) - 60)
          throw new Error(
            `${name} leaked, ${how}, through thing ${index + 1}, ${place}: …${text.slice(at, at + 160)}…`
          )
        }
    })
}
