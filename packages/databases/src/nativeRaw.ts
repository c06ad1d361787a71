import type { QueryResult } from "./results.ts"
import type { RawInput, Row } from "./types.ts"

/** `raw({ query, params })`. */
export type RawCall = <T = Row>(input: RawInput) => Promise<QueryResult<T>>

const isRawInput = (args: ReadonlyArray<unknown>): boolean => {
  const [input] = args
  if (args.length !== 1 || typeof input !== "object" || input === null || Array.isArray(input)) return false
  const { query, sql } = input as RawInput
  return typeof query === "string" || typeof sql === "string"
}

/**
 * Both meanings of `raw`: called with `{ query, params }` it is the call of that name; everything else
 * about it is the driver's own object.
 */
export const nativeRaw = (native: () => unknown, call: RawCall): RawCall => {
  const own = (): object => native() as object
  return new Proxy(call as unknown as object, {
    apply: (_target, self, args: Array<unknown>) => {
      if (isRawInput(args)) return call(args[0] as RawInput)
      const driver = own()
      if (typeof driver === "function")
        return Reflect.apply(driver as (...args: Array<unknown>) => unknown, self, args)
      return call(args[0] as RawInput)
    },
    get: (_target, key) => {
      const driver = own()
      const value: unknown = Reflect.get(driver, key, driver)
      return typeof value === "function" ? value.bind(driver) : value
    },
    has: (_target, key) => Reflect.has(own(), key),
    getPrototypeOf: () => Reflect.getPrototypeOf(own())
  }) as unknown as RawCall
}
