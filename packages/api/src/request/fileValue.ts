import { isPlainObject } from "./plainObject.ts"

/** A file with what a part says about it: `data` holds the bytes, text or stream. */
export interface FilePart {
  readonly data: FileData
  readonly filename?: string
  readonly contentType?: string
}

/** Bytes, a `Blob` or `File`, a Node or Web stream, or any async iterable of bytes. */
export type FileData =
  | string
  | Uint8Array
  | ArrayBuffer
  | Blob
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array | string>

export const isBytes = (value: unknown): value is Uint8Array | ArrayBuffer =>
  value instanceof Uint8Array || value instanceof ArrayBuffer

export const isBlob = (value: unknown): value is Blob => value instanceof Blob

export const isStream = (
  value: unknown
): value is ReadableStream<Uint8Array> | AsyncIterable<Uint8Array | string> =>
  typeof value === "object" &&
  value !== null &&
  !isBlob(value) &&
  (value instanceof ReadableStream || Symbol.asyncIterator in value)

/** Bytes in any form: what a body or a part can be without being written as text. */
export const isBinary = (value: unknown): value is Exclude<FileData, string> =>
  typeof value === "object" && value !== null && (isBytes(value) || isBlob(value) || isStream(value))

export const isFilePart = (value: unknown): value is FilePart =>
  isPlainObject(value) &&
  Object.hasOwn(value, "data") &&
  (typeof value["data"] === "string" || isBinary(value["data"])) &&
  (Object.hasOwn(value, "filename") || Object.hasOwn(value, "contentType") || isBinary(value["data"]))

export const toBytes = (value: string | Uint8Array | ArrayBuffer): Uint8Array =>
  typeof value === "string"
    ? Buffer.from(value, "utf8")
    : value instanceof Uint8Array
      ? value
      : new Uint8Array(value)

/** A body that is not in memory. */
export class BodyStream {
  /** In bytes, when it is known beforehand. */
  readonly length: number | undefined
  /** Whether `open` may be called again: a `Blob` can, a stream cannot. */
  readonly replayable: boolean
  readonly open: () => AsyncIterable<Uint8Array>

  constructor(fields: {
    readonly length?: number | undefined
    readonly replayable: boolean
    readonly open: () => AsyncIterable<Uint8Array>
  }) {
    this.length = fields.length
    this.replayable = fields.replayable
    this.open = fields.open
  }

  static of(value: Blob | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array | string>): BodyStream {
    if (isBlob(value)) {
      return new BodyStream({ length: value.size, replayable: true, open: () => chunks(value.stream()) })
    }
    return new BodyStream({ replayable: false, open: () => chunks(value) })
  }
}

async function* chunks(
  source: ReadableStream<Uint8Array> | AsyncIterable<Uint8Array | string>
): AsyncGenerator<Uint8Array> {
  for await (const chunk of source as AsyncIterable<Uint8Array | string>) {
    yield typeof chunk === "string" ? Buffer.from(chunk, "utf8") : chunk
  }
}
