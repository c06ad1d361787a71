import * as assert from "node:assert/strict"

/** One entry of the model: a plain map holds them. */
export interface ModelEntry {
  readonly text: string
  readonly createdAt: number
  readonly updatedAt: number
  readonly expiresAt: number | null
  readonly keptUntil: number | null
  readonly tags: ReadonlyArray<string>
}

export interface Written {
  readonly value: unknown
  readonly ttl?: number | undefined
  readonly grace?: number | undefined
  readonly tags?: ReadonlyArray<string> | undefined
}

/** What a cache is, in the simplest words: the oracle of the state machine. */
export class CacheModel {
  readonly entries = new Map<string, ModelEntry>()
  readonly now: () => number

  constructor(now: () => number) {
    this.now = now
  }

  alive(key: string): ModelEntry | undefined {
    const entry = this.entries.get(key)
    return entry !== undefined && (entry.expiresAt === null || this.now() < entry.expiresAt)
      ? entry
      : undefined
  }

  /** Alive or in its grace. */
  kept(): ReadonlyArray<[string, ModelEntry]> {
    return [...this.entries].filter(([, entry]) => entry.keptUntil === null || this.now() < entry.keptUntil)
  }

  keys(): ReadonlyArray<string> {
    return [...this.entries.keys()].filter((key) => this.alive(key) !== undefined).sort()
  }

  /** What a read with that grace would be served although it is dead. */
  stale(key: string, grace: number): ModelEntry | undefined {
    const entry = this.entries.get(key)
    if (entry?.expiresAt == null || entry.keptUntil === null) return undefined
    const until = Math.min(entry.keptUntil, entry.expiresAt + grace * 1000)
    return this.now() >= entry.expiresAt && this.now() < until ? entry : undefined
  }

  write(key: string, text: string, { ttl, grace = 0, tags = [] }: Omit<Written, "value">): void {
    const now = this.now()
    const expiresAt = ttl === undefined ? null : now + ttl * 1000
    this.entries.set(key, {
      text,
      tags,
      createdAt: this.alive(key)?.createdAt ?? now,
      updatedAt: now,
      expiresAt,
      keptUntil: expiresAt === null ? null : expiresAt + grace * 1000
    })
  }

  /** Whether it was alive. */
  remove(key: string): boolean {
    const was = this.alive(key) !== undefined
    this.entries.delete(key)
    return was
  }

  removeWhere(matches: (entry: ModelEntry) => boolean): number {
    const keys = [...this.entries].filter(([, entry]) => matches(entry)).map(([key]) => key)
    return keys.filter((key) => this.remove(key)).length
  }
}

/** A string as it is, anything else as JSON: what `set` stores. */
export const textOf = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value))

export const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** What a `fallback` stores: the same, but a string that reads as JSON comes back as the string. */
export const resultText = (value: unknown): string =>
  typeof value === "string" && parsed(value) !== value ? JSON.stringify(value) : textOf(value)

export const sameJson = (a: string, b: string): boolean => {
  try {
    assert.deepEqual(parsed(a), parsed(b))
    return true
  } catch {
    return false
  }
}
