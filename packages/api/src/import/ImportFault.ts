/** What is wrong with a document, and where; becomes an `ActionError`. */
export class ImportFault extends Error {
  readonly code: "IMPORT_INVALID" | "IMPORT_TYPE_UNSUPPORTED" | "VALIDATION_ERROR"
  /** Keys from the root of the document to the fault. */
  readonly path: ReadonlyArray<string | number> | undefined

  constructor(
    message: string,
    path?: ReadonlyArray<string | number>,
    code: ImportFault["code"] = "IMPORT_INVALID"
  ) {
    super(message)
    this.path = path
    this.code = code
  }
}

/** RFC 6901, in fragment form without percent-encoding, for people: `#/paths/~1users/get`. */
export const pointerOf = (path: ReadonlyArray<string | number>): string =>
  `#${path.map((key) => `/${String(key).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("")}`
