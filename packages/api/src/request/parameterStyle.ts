import type { Field } from "@ductape/registry"
import { anyText, bracketPairs, items, jsonText, members, scalarText } from "./parameterText.ts"
import { isPlainObject } from "./plainObject.ts"

/**
 * OpenAPI's parameter serialisation (OpenAPI 3.1.1, "Style Values" and "Style Examples"; RFC 6570).
 * Names and values are percent-encoded; delimiters are the ones that the style puts in.
 */
export const encode = (text: string): string => (plain.test(text) ? text : percentEncode(text))

/** What RFC 3986 calls unreserved. */
const plain = /^[\w.~-]*$/

const percentEncode = (text: string): string =>
  // encodeURIComponent leaves !'()* alone, which RFC 3986 calls reserved; a lone surrogate has no UTF-8.
  encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`
  )

/** `allowReserved`: reserved characters stay, but for those that would end or split the query. */
const encodeReserved = (text: string): string =>
  encodeURIComponent(text.toWellFormed()).replace(/%(?:3A|2F|3F|40|24|2C|3B|3D|5B|5D)/g, (escaped) =>
    decodeURIComponent(escaped)
  )

const isJson = (contentType: string | undefined): boolean =>
  contentType !== undefined && /[/+]json\b/i.test(contentType)

type Encode = (text: string) => string

const flatPairs = (value: Record<string, unknown>, between: string, write: Encode): Array<string> =>
  members(value).map(([key, member]) => `${write(key)}${between}${write(anyText(member))}`)

const listed = (value: ReadonlyArray<unknown>, write: Encode): Array<string> =>
  items(value).map((item) => write(anyText(item)))

/** `simple`, of path and header: `a,b`; objects `k,v` or, exploded, `k=v`. */
export const simpleText = (field: Field | undefined, value: unknown, write: Encode): string => {
  if (isJson(field?.contentType)) return write(jsonText(value) ?? "")
  if (Array.isArray(value)) return listed(value, write).join(",")
  if (isPlainObject(value)) return flatPairs(value, field?.explode === true ? "=" : ",", write).join(",")
  return write(anyText(value))
}

/** A path parameter's text: `simple`, `label` or `matrix`. */
export const pathText = (name: string, field: Field | undefined, value: unknown): string => {
  const explode = field?.explode === true
  switch (field?.style) {
    case "label": {
      const parts = Array.isArray(value)
        ? listed(value, encode)
        : isPlainObject(value)
          ? flatPairs(value, explode ? "=" : ",", encode)
          : [encode(anyText(value))]
      return `.${parts.join(explode ? "." : ",")}`
    }
    case "matrix": {
      const key = encode(name)
      if (Array.isArray(value)) {
        const parts = listed(value, encode)
        return explode ? parts.map((part) => `;${key}=${part}`).join("") : `;${key}=${parts.join(",")}`
      }
      if (isPlainObject(value)) {
        return explode
          ? flatPairs(value, "=", encode)
              .map((pair) => `;${pair}`)
              .join("")
          : `;${key}=${flatPairs(value, ",", encode).join(",")}`
      }
      return `;${key}=${encode(anyText(value))}`
    }
    default:
      return simpleText(field, value, encode)
  }
}

const delimiters: Readonly<Record<string, string>> = {
  spaceDelimited: "%20",
  pipeDelimited: "%7C",
  form: ","
}

/** The `name=value` pairs of one query parameter, appended to `pairs`. */
export const queryPairs = (
  name: string,
  field: Field | undefined,
  value: unknown,
  pairs: Array<string>
): void => {
  const write = field?.allowReserved === true ? encodeReserved : encode
  const key = encode(name)
  const scalar = scalarText(value)
  if (scalar !== undefined) {
    pairs.push(`${key}=${write(isJson(field?.contentType) ? (jsonText(value) ?? "") : scalar)}`)
    return
  }
  if (isJson(field?.contentType)) {
    pairs.push(`${key}=${write(jsonText(value) ?? "")}`)
    return
  }
  const style = field?.style ?? (field === undefined && isPlainObject(value) ? "deepObject" : "form")
  if (style === "deepObject") {
    bracketPairs(name, value, "drop", (bracketed, text) => pairs.push(`${encode(bracketed)}=${write(text)}`))
    return
  }
  const explode = field?.explode ?? style === "form"
  if (Array.isArray(value)) {
    const present = items(value)
    if (present.length === 0) return
    if (!explode) {
      pairs.push(`${key}=${listed(present, write).join(delimiters[style] ?? ",")}`)
      return
    }
    for (const [index, item] of present.entries()) {
      if (isPlainObject(item)) {
        bracketPairs(`${name}[${index}]`, item, "drop", (bracketed, text) =>
          pairs.push(`${encode(bracketed)}=${write(text)}`)
        )
      } else pairs.push(`${key}=${write(anyText(item))}`)
    }
    return
  }
  if (isPlainObject(value)) {
    const delimiter = delimiters[style] ?? ","
    if (!explode) {
      const flat = flatPairs(value, delimiter, write)
      if (flat.length > 0) pairs.push(`${key}=${flat.join(delimiter)}`)
      return
    }
    for (const [member, inner] of members(value)) {
      if (Array.isArray(inner) || isPlainObject(inner)) {
        bracketPairs(member, inner, "drop", (bracketed, text) =>
          pairs.push(`${encode(bracketed)}=${write(text)}`)
        )
      } else pairs.push(`${encode(member)}=${write(anyText(inner))}`)
    }
    return
  }
  pairs.push(`${key}=${write(anyText(value))}`)
}

/** RFC 6265 cookie-octets but for `%`, so that what is read back is what was given. */
const cookieOctets = /[^\x21\x23-\x24\x26-\x2B\x2D-\x3A\x3C-\x5B\x5D-\x7E]/gu

const cookieText = (text: string): string =>
  text.toWellFormed().replace(cookieOctets, (character) => encodeURIComponent(character))

/** The `name=value` pairs of one cookie parameter (`form`), appended to `pairs`. */
export const cookiePairs = (
  name: string,
  field: Field | undefined,
  value: unknown,
  pairs: Array<string>
): void => {
  const key = encode(name)
  const explode = field?.explode ?? true
  if (isJson(field?.contentType)) {
    pairs.push(`${key}=${cookieText(jsonText(value) ?? "")}`)
  } else if (Array.isArray(value)) {
    if (explode) for (const part of listed(value, cookieText)) pairs.push(`${key}=${part}`)
    else pairs.push(`${key}=${listed(value, (text) => encode(text)).join("%2C")}`)
  } else if (isPlainObject(value)) {
    if (explode) pairs.push(...flatPairs(value, "=", encode))
    else pairs.push(`${key}=${flatPairs(value, "%2C", encode).join("%2C")}`)
  } else pairs.push(`${key}=${cookieText(anyText(value))}`)
}
