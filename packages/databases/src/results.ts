import type { Row } from "./types.ts"

/** Results have the older names as getters: `data` and `rows` for `records`, `row` for the first. */
class Records<T> {
  readonly records: Array<T>
  readonly count: number

  constructor(records: Array<T>, count: number) {
    this.records = records
    this.count = count
  }

  get data(): Array<T> {
    return this.records
  }

  get rows(): Array<T> {
    return this.records
  }

  get row(): T | undefined {
    return this.records[0]
  }
}

export class FindResult<T = Row> extends Records<T> {
  /** Column names, when `select` named them. */
  declare readonly fields?: Array<string>
  /** With `after`: what to pass as `after` for the next page; `null` on the last. */
  declare readonly nextCursor?: string | null

  constructor(
    records: Array<T>,
    count: number,
    fields: ReadonlyArray<string> | undefined,
    nextCursor: string | null | undefined
  ) {
    super(records, count)
    if (fields !== undefined) this.fields = [...fields]
    if (nextCursor !== undefined) this.nextCursor = nextCursor
  }
}

export class FindOneResult<T = Row> {
  readonly record: T | null

  constructor(record: T | null) {
    this.record = record
  }

  get row(): T | null {
    return this.record
  }
}

export class SaveResult<T = Row> extends Records<T> {}

export class InsertedResult<T = Row> extends Records<T> {
  readonly insertedIds: Array<unknown>

  constructor(records: Array<T>, count: number, insertedIds: Array<unknown>) {
    super(records, count)
    this.insertedIds = insertedIds
  }
}

export class UpsertedResult<T = Row> extends Records<T> {
  readonly operation: "inserted" | "updated" | "mixed"

  constructor(records: Array<T>, count: number, operation: "inserted" | "updated" | "mixed") {
    super(records, count)
    this.operation = operation
  }
}

/** Of `raw`. */
export class QueryResult<T = Row> extends Records<T> {
  readonly fields: Array<string>

  constructor(records: Array<T>, count: number, fields: Array<string>) {
    super(records, count)
    this.fields = fields
  }
}
