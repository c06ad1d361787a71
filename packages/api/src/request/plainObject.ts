/** An object literal, `JSON.parse` output or `Object.create(null)`; not a Date, Buffer or class instance. */
export const isPlainObject = (value: unknown): value is Record<string, unknown> => {
  if (typeof value !== "object" || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype || isForeignObject(prototype)
}

/** `Object.prototype` of another realm (`vm`, a test runner's sandbox). */
const isForeignObject = (prototype: unknown): boolean =>
  typeof prototype === "object" &&
  prototype !== null &&
  Object.getPrototypeOf(prototype) === null &&
  Object.hasOwn(prototype, "hasOwnProperty")

/** An object without a prototype: `__proto__` is a key like any other. */
export const emptyRecord = (): Record<string, unknown> => Object.create(null) as Record<string, unknown>
