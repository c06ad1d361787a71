/** Generated tables, rows and filters: small pools of awkward values, so that filters do match. */
export type OracleKind =
  | "int"
  | "big"
  | "numeric"
  | "float"
  | "text"
  | "bool"
  | "stamp"
  | "day"
  | "uuid"
  | "bytes"
  | "texts"
  | "ints"
  | "json"

/** A repeatable source of randomness (mulberry32). */
export class Dice {
  #state: number
  constructor(seed: number) {
    this.#state = seed >>> 0
  }
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
  /** 0 … n - 1 */
  below(n: number): number {
    return Math.floor(this.next() * n)
  }
  pick<T>(items: ReadonlyArray<T>): T {
    return items[this.below(items.length)] as T
  }
  some<T>(items: ReadonlyArray<T>, most: number): Array<T> {
    return Array.from({ length: this.below(most + 1) }, () => this.pick(items))
  }
  chance(share: number): boolean {
    return this.next() < share
  }
}

export const sqlTypes: Readonly<Record<OracleKind, string>> = {
  int: "int4",
  big: "int8",
  numeric: "numeric",
  float: "float8",
  text: "text",
  bool: "bool",
  stamp: "timestamptz",
  day: "date",
  uuid: "uuid",
  bytes: "bytea",
  texts: "text[]",
  ints: "int4[]",
  json: "jsonb"
}

const texts = [
  "",
  "a",
  "A",
  "ab",
  "abc",
  "b",
  "B%",
  "a_c",
  "a\\c",
  "%",
  "é",
  "É",
  "\u{1f600}",
  "\uffff",
  "  a ",
  "x\ny",
  "NULL",
  '"',
  "'",
  "10",
  "aa",
  "a.c",
  "{a,b}",
  "Zebra",
  "null"
]

const json: ReadonlyArray<unknown> = [
  0,
  1,
  -1.5,
  10,
  "a",
  "ab",
  "",
  "B%",
  true,
  false,
  [],
  [1],
  [1, 2],
  ["a", "b"],
  [[1], null],
  [{ a: 1 }, "a", 1],
  {},
  { a: 1 },
  { a: 1, b: [null] },
  { a: { b: "c" } },
  ["a", "a"],
  [true, null],
  "\u{1f600}"
]

/** What rows hold. */
export const stored: Readonly<Record<OracleKind, ReadonlyArray<unknown>>> = {
  int: [0, 1, -1, 2, 3, 10, 2147483647, -2147483648],
  big: [0, 1, -1, 5, 9007199254740991, -9007199254740991, 4294967296],
  numeric: [0, 1, -1, 0.1, 0.2, 10.5, 123456789.125, -0.001, 100000000000],
  float: [0, 1, -1, 0.1, 0.30000000000000004, 1e300, -1e-300, 2.5, Number.POSITIVE_INFINITY],
  text: texts,
  bool: [true, false],
  stamp: [
    new Date(0),
    new Date(1),
    new Date("2024-02-29T23:59:59.999Z"),
    new Date("1969-12-31T00:00:00Z"),
    new Date("9999-12-31T00:00:00Z")
  ],
  day: ["1970-01-01", "2024-02-29", "1999-12-31", "0044-03-15", "9999-12-31"],
  uuid: [
    "00000000-0000-4000-8000-000000000000",
    "00000000-0000-4000-8000-000000000001",
    "ffffffff-ffff-4fff-bfff-ffffffffffff",
    "a0000000-0000-4000-8000-00000000000b"
  ],
  bytes: [Buffer.from([]), Buffer.from([0]), Buffer.from([1, 2]), Buffer.from([255]), Buffer.from([1])],
  texts: [],
  ints: [],
  json
}

export const storedValue = (kind: OracleKind, dice: Dice): unknown => {
  if (dice.chance(0.15)) return null
  if (kind === "texts") return dice.some([...texts, null], 4)
  if (kind === "ints") return dice.some([...stored.int, null], 4)
  return dice.pick(stored[kind])
}

/** Operands that no row holds, or that lie outside of the column's type. */
const beyond: Readonly<Partial<Record<OracleKind, ReadonlyArray<unknown>>>> = {
  int: [0.5, -2.5, 1e10, 2147483648, 10n ** 20n, 1n, 1e300],
  big: [0.5, 1e20, 10n ** 25n, 2n],
  numeric: [1e-10, 1e300, 7n, 0.30000000000000004],
  float: [7, 0.25, 3n, -0, Number.NEGATIVE_INFINITY],
  text: ["aB", "zz", "_", "\\"],
  stamp: [new Date("2000-01-01T00:00:00Z")],
  day: ["2024-01-01", "not a day", "2024-02-30"],
  uuid: ["b", "00000000-0000-4000-8000-000000000002", ""],
  bytes: [Buffer.from([9])],
  json: [{ a: 2 }, [2], "zz", 3]
}

const strangers: ReadonlyArray<unknown> = [true, "a", 1, new Date(0), { a: 1 }]

const operand = (kind: OracleKind, dice: Dice): unknown => {
  // A date against a `date` column is read as one, beyond what the evaluator knows of columns.
  if (dice.chance(0.03) && kind !== "day") return dice.pick(strangers)
  if (kind === "texts" || kind === "ints") return storedValue(kind, dice) ?? []
  const extra = beyond[kind]
  return extra !== undefined && dice.chance(0.2) ? dice.pick(extra) : dice.pick(stored[kind])
}

const patterns = [
  "^a",
  "b$",
  "a.c",
  "[a-c]+",
  "\\d+",
  "a|B",
  "(ab)+c?",
  "a\\.c",
  "a{2}",
  "\\s",
  "^$",
  "[^a]",
  "\\ba\\b",
  "é",
  "a.*b",
  "\\w",
  "[%_]",
  "x.y"
]
const likes = ["%", "a%", "%b%", "_", "__", "a\\%", "a\\_c", "%\\\\%", "", "É%", "A_", "%\u{1f600}"]

const orderedKinds: ReadonlySet<OracleKind> = new Set([
  "int",
  "big",
  "numeric",
  "float",
  "text",
  "bool",
  "stamp",
  "day",
  "uuid",
  "bytes",
  "json"
])
const textKinds: ReadonlySet<OracleKind> = new Set(["text", "day", "uuid", "json"])

const isScalar = (value: unknown): boolean =>
  typeof value !== "object" || value instanceof Date || value instanceof Uint8Array

const elementOf = (kind: OracleKind, dice: Dice): unknown =>
  kind === "ints" ? operand("int", dice) : kind === "json" ? dice.pick(json) : operand("text", dice)

const condition = (kind: OracleKind, dice: Dice): unknown => {
  const roll = dice.below(20)
  const list = (): Array<unknown> =>
    Array.from({ length: dice.below(4) }, () => (dice.chance(0.15) ? null : operand(kind, dice)))
  if (roll < 3) return { $eq: dice.chance(0.1) ? null : operand(kind, dice) }
  if (roll < 5) return { $ne: dice.chance(0.1) ? null : operand(kind, dice) }
  if (roll < 9 && orderedKinds.has(kind)) {
    const value = operand(kind, dice)
    if (isScalar(value)) return { [dice.pick(["$gt", "$gte", "$lt", "$lte"])]: value }
  }
  if (roll === 9 && orderedKinds.has(kind)) {
    const [lo, hi] = [dice.pick(stored[kind]), dice.pick(stored[kind])]
    if (isScalar(lo) && isScalar(hi) && typeof lo === typeof hi) return { $between: [lo, hi] }
  }
  if (roll < 12 && kind !== "texts" && kind !== "ints") return { [dice.pick(["$in", "$nin"])]: list() }
  if (roll < 16 && textKinds.has(kind)) {
    switch (dice.below(6)) {
      case 0:
        return { $like: dice.pick(likes) }
      case 1:
        return { $ilike: dice.pick(likes) }
      case 2:
        return { $regex: dice.chance(0.5) ? dice.pick(patterns) : new RegExp(dice.pick(patterns), "i") }
      case 3:
        return { $startsWith: dice.pick(texts) }
      case 4:
        return { $endsWith: dice.pick(texts) }
      default:
        return { $contains: dice.pick(texts) }
    }
  }
  if (roll < 18 && (kind === "texts" || kind === "ints" || kind === "json")) {
    switch (dice.below(3)) {
      case 0:
        return { $contains: elementOf(kind, dice) }
      case 1:
        return { $containsAny: Array.from({ length: dice.below(3) }, () => elementOf(kind, dice)) }
      default:
        return { $containsAll: Array.from({ length: dice.below(3) }, () => elementOf(kind, dice)) }
    }
  }
  return { [dice.pick(["$isNull", "$isNotNull", "$exists"])]: dice.chance(0.7) }
}

export const someWhere = (
  columns: ReadonlyArray<{ readonly name: string; readonly kind: OracleKind }>,
  dice: Dice,
  depth = 0
): Record<string, unknown> => {
  const roll = dice.next()
  if (depth < 3 && roll < 0.35) {
    const members = Array.from({ length: dice.below(4) }, () => someWhere(columns, dice, depth + 1))
    return { [dice.pick(["$and", "$or", "$nor"])]: members }
  }
  if (depth < 3 && roll < 0.45) return { $not: someWhere(columns, dice, depth + 1) }
  const where: Record<string, unknown> = {}
  for (let i = 0; i <= dice.below(2); i++) {
    const { kind, name } = dice.pick(columns)
    where[name] = condition(kind, dice)
  }
  return where
}
