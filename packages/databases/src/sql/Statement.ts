import type { Param } from "../DatabaseDriver.ts"
import { invalid } from "../DatabaseError.ts"
import { type Encoded, misfit } from "./encode.ts"

/** Thrown while binding: a value lies outside its column's type, so the exact comparison is needed. */
export const Misfit: unique symbol = Symbol("Misfit")

type Encoder = (value: unknown) => Encoded | null | Param

interface Slot {
  readonly index: number
  readonly encode: Encoder
}

/** A compiled statement: its text, and how to bind the values of one call of its shape. */
export interface Compiled {
  readonly text: string
  /** @throws {@link Misfit} */
  readonly bind: (values: ReadonlyArray<unknown>) => Array<Param>
}

/** Collects the slots of a statement while its text is written. */
export class StatementBuilder {
  readonly #slots: Array<Slot> = []
  #next = 0

  /** Index of the next value of the call, in the order in which shapes list them. */
  take(): number {
    return this.#next++
  }

  /** A placeholder for value `index`. */
  slot(index: number, encode: Encoder): string {
    this.#slots.push({ index, encode })
    return `$${this.#slots.length}`
  }

  /** A placeholder for the next value. */
  next(encode: Encoder): string {
    return this.slot(this.take(), encode)
  }

  done(text: string): Compiled {
    const slots = this.#slots
    if (slots.length > 65_533) {
      throw invalid(
        "where: too many conditions for one statement; PostgreSQL binds at most 65,535 values.",
        "where"
      )
    }
    return {
      text,
      bind: (values) => {
        const params = new Array<Param>(slots.length)
        for (let i = 0; i < slots.length; i++) {
          const { encode, index } = slots[i] as Slot
          const param = encode(values[index])
          if (param === misfit) throw Misfit
          params[i] = param as Param
        }
        return params
      }
    }
  }
}
