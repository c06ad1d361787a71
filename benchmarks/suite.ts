/** Pinned npm packages that a peer needs, by name. */
export type Packages = Readonly<Record<string, string>>

export interface Tools {
  /** What the suite's `setup` left for its contenders; travels as JSON. */
  readonly context: Readonly<Record<string, unknown>>
  /** Imports one of the contender's `packages`. */
  readonly load: (name: string) => Promise<unknown>
}

/** Numbers by the name of their metric. */
export type Measures = Readonly<Record<string, number>>

/** One side of a comparison, measured in a process of its own. Imports what it needs inside `run`. */
export interface Contender {
  readonly name: string
  readonly packages?: Packages
  /** What their installation does not do by itself, in the folder that they are in. */
  readonly build?: (folder: string) => void
  readonly run: (tools: Tools) => Promise<Measures>
}

export interface Metric {
  readonly name: string
  /** Of times and sizes (`ms`, `MiB`) less is better, of the rest more. */
  readonly unit: "ops/s" | "ms" | "MiB"
  /** Bounds of ours ÷ peer, by the peer's name: at least, where more is better; at most, where less is. */
  readonly goals?: Readonly<Record<string, number>>
}

export interface Shared {
  /** Travels to the contenders as JSON. */
  readonly context: Readonly<Record<string, unknown>>
  readonly stop: () => Promise<void>
}

/** Ours against each peer, rounds interleaved. */
export interface Group {
  readonly name: string
  /** What only this group needs, beside the suite's. */
  readonly setup?: () => Promise<Shared>
  readonly ours: Contender
  readonly peers: ReadonlyArray<Contender>
  readonly metrics: ReadonlyArray<Metric>
}

/** The default export of `benchmarks/<name>.ts`. */
export interface Suite {
  /** Starts what all contenders share, in processes of its own. */
  readonly setup?: () => Promise<Shared>
  readonly groups: ReadonlyArray<Group>
}

export const throughputMetrics = (goals: Readonly<Record<string, number>>): ReadonlyArray<Metric> => [
  { name: "throughput", unit: "ops/s", goals },
  { name: "p50", unit: "ms" },
  { name: "p99", unit: "ms" }
]
