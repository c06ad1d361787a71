/** The namespaces that a template can read from. */
export const referenceNames = [
  "Input",
  "Sequence",
  "Step",
  "Variable",
  "Constant",
  "Session",
  "Response",
  "Secret",
  "Auth"
] as const

export type ReferenceName = (typeof referenceNames)[number]

/** `$Session{user}{id}`: a namespace and the path within it, unescaped. */
export interface Reference {
  readonly name: ReferenceName
  readonly segments: ReadonlyArray<string>
}

export type MeasureName = "Size" | "Length"

/** Operators and how many arguments each takes. */
export const arities = {
  Add: [1, Number.POSITIVE_INFINITY],
  Subtract: [2, Number.POSITIVE_INFINITY],
  Concat: [1, 2],
  Substring: [2, 3],
  Trim: [1, 1],
  Split: [2, 2],
  Pick: [2, 2],
  Join: [1, 2],
  Uppercase: [1, 1],
  Lowercase: [1, 1],
  Dateformat: [2, 3],
  Format: [2, 3],
  DateAdd: [3, 3],
  Replace: [3, 3],
  Filter: [3, 4],
  Find: [3, 4],
  Default: [2, 2]
} as const satisfies Record<string, readonly [number, number]>

export type OperatorName = keyof typeof arities

/** One expression of a parsed template; `offset` is where it starts. */
export type Node =
  | { readonly kind: "value"; readonly value: string | number | boolean | null }
  | { readonly kind: "array"; readonly items: ReadonlyArray<Node>; readonly offset: number }
  | {
      readonly kind: "object"
      readonly members: ReadonlyArray<readonly [string, Node]>
      readonly offset: number
    }
  | { readonly kind: "reference"; readonly reference: Reference; readonly offset: number }
  | { readonly kind: "measure"; readonly name: MeasureName; readonly value: Node; readonly offset: number }
  | {
      readonly kind: "call"
      readonly operator: OperatorName
      readonly args: ReadonlyArray<Node>
      readonly offset: number
    }
  | { readonly kind: "now" }
  | { readonly kind: "default"; readonly offset: number }
  /** A value put into a tagged template by the code around it. */
  | { readonly kind: "hole"; readonly index: number; readonly offset: number }

/** A parsed template: text and expressions in order. */
export interface Syntax {
  readonly parts: ReadonlyArray<string | Node>
  readonly references: ReadonlyArray<Reference>
}

/** A reference as it is written in a template. */
export const printReference = ({ name, segments }: Reference): string =>
  `$${name}${segments.map((segment) => `{${segment.replace(/[{}\\]/g, "\\$&")}}`).join("")}`
