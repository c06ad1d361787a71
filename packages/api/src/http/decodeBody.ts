import type { Buffer } from "node:buffer"
import type * as Zlib from "node:zlib"

/** Headers as they came: lower-case names, several values in an array. */
export type ResponseHeaders = Readonly<Record<string, string | ReadonlyArray<string>>>

export class BodyTooLarge extends Error {
  readonly code = "DUCTAPE_BODY_TOO_LARGE"
}

export class BodyBroken extends Error {
  readonly code = "DUCTAPE_BODY_BROKEN"
}

export const headerText = (headers: ResponseHeaders, name: string): string | undefined => {
  const value = headers[name]
  return value === undefined || typeof value === "string" ? value : value.join(", ")
}

/** Encodings in the order that they were applied; `undefined` if there is one that is not known. */
export const contentEncodings = (headers: ResponseHeaders): ReadonlyArray<string> => {
  const text = headerText(headers, "content-encoding")
  if (text === undefined) return []
  return text
    .toLowerCase()
    .split(",")
    .map((encoding) => encoding.trim())
    .filter((encoding) => encoding !== "" && encoding !== "identity")
}

/** Loaded for the first compressed answer. */
const zlib = (): typeof Zlib => process.getBuiltinModule("node:zlib")

type Inflate = (data: Uint8Array, options: Zlib.ZlibOptions) => Buffer

const inflaters: Readonly<Record<string, Inflate>> = {
  gzip: (data, options) => zlib().gunzipSync(data, options),
  "x-gzip": (data, options) => zlib().gunzipSync(data, options),
  br: (data, options) => zlib().brotliDecompressSync(data, options),
  // Both zlib-wrapped (RFC 9110) and raw deflate are met under this name.
  deflate: (data, options) =>
    ((data[0] ?? 0) & 0x0f) === 0x08
      ? zlib().inflateSync(data, options)
      : zlib().inflateRawSync(data, options)
}

export const decoderStream = (encoding: string): NodeJS.ReadWriteStream | undefined => {
  switch (encoding) {
    case "gzip":
    case "x-gzip":
      return zlib().createGunzip()
    case "br":
      return zlib().createBrotliDecompress()
    case "deflate":
      return zlib().createInflate()
    default:
      return undefined
  }
}

/**
 * The body as it was before it was compressed, at most `limit` bytes of it.
 *
 * @throws {BodyTooLarge} {@link BodyBroken}
 */
export const decompress = (body: Buffer, headers: ResponseHeaders, limit: number): Buffer => {
  if (headers["content-encoding"] === undefined || body.byteLength === 0) return body
  let decoded = body
  for (const encoding of contentEncodings(headers).toReversed()) {
    const inflate = inflaters[encoding]
    if (inflate === undefined) throw new BodyBroken("the body is in an encoding that was not asked for")
    try {
      decoded = inflate(decoded, { maxOutputLength: limit })
    } catch (cause) {
      if (cause instanceof RangeError) throw new BodyTooLarge()
      throw new BodyBroken(`the body is not valid ${encoding}`)
    }
  }
  return decoded
}

type BodyKind = "json" | "text" | "bytes"

/** Kinds by `Content-Type` as it came; APIs use few. */
const kinds = new Map<string, BodyKind>()

const kindOf = (headers: ResponseHeaders): BodyKind => {
  const text = headerText(headers, "content-type") ?? ""
  const known = kinds.get(text)
  if (known !== undefined) return known
  const type = (text.split(";")[0] ?? "").trim().toLowerCase()
  const textual = type.startsWith("text/") || /[/+]xml$/.test(type)
  const kind = /[/+]json$/.test(type) ? "json" : textual ? "text" : "bytes"
  if (kinds.size < 200) kinds.set(text, kind)
  return kind
}

const charset = (headers: ResponseHeaders): string =>
  /charset\s*=\s*"?([^";\s]+)/i.exec(headerText(headers, "content-type") ?? "")?.[1] ?? "utf-8"

const decodeText = (body: Buffer, label: string): string => {
  if (/^utf-?8$/i.test(label)) return new TextDecoder().decode(body)
  try {
    return new TextDecoder(label).decode(body)
  } catch {
    return body.toString("latin1")
  }
}

/**
 * JSON types parsed, text as a string, nothing as null, all else as a Buffer.
 *
 * @throws {BodyBroken} for JSON that is none; with `lenient` it is returned as text
 */
export const parseBody = (body: Buffer, headers: ResponseHeaders, lenient: boolean): unknown => {
  if (body.byteLength === 0) return null
  const kind = kindOf(headers)
  if (kind === "json") {
    const start = body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf ? 3 : 0
    const text = body.toString("utf8", start)
    try {
      return JSON.parse(text) as unknown
    } catch {
      if (lenient) return text
      throw new BodyBroken("the body is not valid JSON")
    }
  }
  return kind === "text" ? decodeText(body, charset(headers)) : body
}
