import { type Found, readPath, TemplateError, type TemplateScope } from "../src/index.ts"

/** A source that reads plain data. */
export const from =
  (data: unknown) =>
  (segments: ReadonlyArray<string>): Found | undefined => {
    const value = readPath(data, segments)
    return value === undefined ? undefined : { value }
  }

/** A scope over `$Input`, at a fixed time. */
export const over = (input: unknown, rest: Partial<TemplateScope> = {}): TemplateScope => ({
  now: 1_700_000_000_000,
  sources: { Input: from(input) },
  ...rest
})

/** What a template does instead of giving a value. */
export const failureOf = (run: () => unknown): TemplateError => {
  try {
    run()
  } catch (error) {
    if (error instanceof TemplateError) return error
    throw error
  }
  throw new Error("it did not fail")
}
