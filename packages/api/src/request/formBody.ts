import type { Field } from "@ductape/registry"
import { anyText, bracketPairs, items, jsonText, members } from "./parameterText.ts"
import { isPlainObject } from "./plainObject.ts"

/** WHATWG `application/x-www-form-urlencoded` serialisation of one name or value. */
const formEncode = (text: string): string =>
  encodeURIComponent(text.toWellFormed())
    .replace(/%20/g, "+")
    .replace(
      /[!'()~]/g,
      (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`
    )

const delimiters: Readonly<Record<string, string>> = { spaceDelimited: " ", pipeDelimited: "|", form: "," }

/**
 * Name and value pairs of one form field.
 *
 * Without a `style`: scalars as they are, arrays of scalars as a repeated name (Twilio), objects and
 * arrays of objects with brackets (Stripe). `deepObject` brackets arrays too: `expand[0]=…`.
 * null is written as an empty value, which is how forms clear a field.
 */
const fieldPairs = (
  name: string,
  field: Field | undefined,
  value: unknown,
  write: (name: string, text: string) => void
): void => {
  if (value === undefined) return
  const style = field?.style
  const object = isPlainObject(value)
  if (value === null) write(name, "")
  else if (field?.contentType !== undefined && /[/+]json\b/i.test(field.contentType)) {
    write(name, jsonText(value) ?? "")
  } else if (style === "deepObject" || (object && style === undefined)) {
    bracketPairs(name, value, "empty", write)
  } else if (Array.isArray(value)) arrayPairs(name, field, value, write)
  else if (!object) write(name, anyText(value))
  else if (field?.explode === false) {
    const flat = members(value).flatMap(([key, member]) => [key, anyText(member)])
    if (flat.length > 0) write(name, flat.join(delimiterOf(field)))
  } else for (const [key, member] of members(value)) fieldPairs(key, undefined, member, write)
}

const delimiterOf = (field: Field): string => delimiters[field.style ?? "form"] ?? ","

const arrayPairs = (
  name: string,
  field: Field | undefined,
  value: ReadonlyArray<unknown>,
  write: (name: string, text: string) => void
): void => {
  const present = items(value)
  if (field?.style !== undefined && field.explode === false) {
    if (present.length > 0) write(name, present.map(anyText).join(delimiterOf(field)))
  } else if (present.some((item) => Array.isArray(item) || isPlainObject(item))) {
    bracketPairs(name, value, "empty", write)
  } else for (const item of present) write(name, anyText(item))
}

export const formBody = (
  fields: Readonly<Record<string, unknown>>,
  schema: ReadonlyMap<string, Field>
): string => {
  const pairs: Array<string> = []
  for (const name of Object.keys(fields)) {
    fieldPairs(name, schema.get(name), fields[name], (key, text) => {
      pairs.push(`${formEncode(key)}=${formEncode(text)}`)
    })
  }
  return pairs.join("&")
}
