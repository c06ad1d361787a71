import type { Change } from "./operators.ts"

/** Whatever of a change's value its SQL depends on. */
export const kindOfValue = ({ operator, value }: Change): string =>
  operator === "pop" ? String(value) : value === null ? "null" : ""
