import type { Row } from "../types.ts"

export const TriggerEvent = {
  BEFORE_INSERT: "beforeInsert",
  AFTER_INSERT: "afterInsert",
  BEFORE_UPDATE: "beforeUpdate",
  AFTER_UPDATE: "afterUpdate",
  BEFORE_DELETE: "beforeDelete",
  AFTER_DELETE: "afterDelete",
  /** Of insert, upsert, update and delete. */
  BEFORE_WRITE: "beforeWrite",
  AFTER_WRITE: "afterWrite"
} as const

export type TriggerEventName = (typeof TriggerEvent)[keyof typeof TriggerEvent]

export type ConditionOperator =
  | "equals"
  | "notEquals"
  | "greaterThan"
  | "greaterThanOrEquals"
  | "lessThan"
  | "lessThanOrEquals"
  | "in"
  | "notIn"
  | "contains"
  | "startsWith"
  | "endsWith"
  | "matches"
  | "isNull"
  | "isNotNull"
  | "isEmpty"
  | "isNotEmpty"
  | "changed"
  | "notChanged"
  | "changedTo"
  | "changedFrom"

export type TriggerCondition =
  | { readonly field: string; readonly operator: ConditionOperator; readonly value?: unknown }
  | { readonly and: ReadonlyArray<TriggerCondition> }
  | { readonly or: ReadonlyArray<TriggerCondition> }
  | { readonly not: TriggerCondition }

export const TriggerTiming = { SYNC: "SYNC", ASYNC: "ASYNC", QUEUED: "QUEUED" } as const

export interface TriggerRetry {
  /** Attempts in all. */
  readonly maxAttempts: number
  /** Milliseconds before the second attempt. Default: 100. */
  readonly initialDelay?: number | undefined
  /** Default: 30,000. */
  readonly maxDelay?: number | undefined
  /** Default: 2. */
  readonly backoffMultiplier?: number | undefined
  /** Codes of errors that are worth another attempt. Default: all. */
  readonly retryOn?: ReadonlyArray<string> | undefined
}

export interface TriggerAction {
  /** `database.insert`, `cache.set`, `http.post`, `log.info`, `custom`, …. */
  readonly type: string
  readonly name?: string | undefined
  readonly config?: Readonly<Record<string, unknown>> | undefined
  /** `SYNC`: the call waits; `ASYNC`: it does not; `QUEUED`: one after the other, in order. Default: `SYNC`. */
  readonly timing?: keyof typeof TriggerTiming | undefined
  readonly retry?: TriggerRetry | undefined
  /** A failure of this action is reported and does not stop the others. */
  readonly continueOnError?: boolean | undefined
  /** Older, flat spellings of what belongs into `config`. */
  readonly [key: string]: unknown
}

export interface TriggerDef {
  readonly name: string
  readonly events: ReadonlyArray<TriggerEventName>
  readonly condition?: TriggerCondition | undefined
  readonly actions: ReadonlyArray<TriggerAction>
  /** Default: `true`. */
  readonly enabled?: boolean | undefined
  /** Lower ones run first. Default: 100. */
  readonly priority?: number | undefined
}

/** As the workspace keeps it. */
export interface StoredTriggerDef extends TriggerDef {
  readonly tag: string
  readonly tables: ReadonlyArray<string>
}

/** What conditions, placeholders and `custom` functions see. */
export interface TriggerContext {
  readonly event: TriggerEventName
  readonly table: string
  readonly database: string
  readonly env: string | undefined
  /** ISO 8601. */
  readonly timestamp: string
  readonly operation: "insert" | "upsert" | "update" | "delete"
  /** The row as given (before) or as written (after). */
  readonly record: Row
  /** Of update and delete, when the trigger asks for it: the row as it was. */
  readonly previousRecord?: Row | undefined
  readonly user?: { readonly id?: unknown } | undefined
}

type Config = Readonly<Record<string, unknown>>

const action = (type: string, config: Config): TriggerAction => ({ type, config })

const tagged = (reference: string, path: string): Config => {
  const [tag, ...rest] = reference.split(":")
  return { [path]: tag, [path === "broker" ? "topic" : "message"]: rest.join(":") }
}

const condition = (field: string) => {
  const of =
    (operator: ConditionOperator) =>
    (value: unknown): TriggerCondition => ({ field, operator, value })
  const alone = (operator: ConditionOperator) => (): TriggerCondition => ({ field, operator })
  return {
    equals: of("equals"),
    notEquals: of("notEquals"),
    greaterThan: of("greaterThan"),
    greaterThanOrEquals: of("greaterThanOrEquals"),
    lessThan: of("lessThan"),
    lessThanOrEquals: of("lessThanOrEquals"),
    in: of("in"),
    notIn: of("notIn"),
    contains: of("contains"),
    startsWith: of("startsWith"),
    endsWith: of("endsWith"),
    /** A `RegExp`, or its source. */
    matches: of("matches"),
    isNull: alone("isNull"),
    isNotNull: alone("isNotNull"),
    isEmpty: alone("isEmpty"),
    isNotEmpty: alone("isNotEmpty"),
    changed: alone("changed"),
    notChanged: alone("notChanged"),
    changedTo: of("changedTo"),
    changedFrom: of("changedFrom")
  }
}

/**
 * Actions and conditions of triggers in few words.
 *
 * @example
 * triggers.register("orders", {
 *   name: "audit",
 *   events: [TriggerEvent.AFTER_INSERT],
 *   condition: Trigger.when.field("total").greaterThan(1000),
 *   actions: [Trigger.database.insert("audit", { order_id: "{{record.id}}", at: "{{timestamp}}" })]
 * })
 */
export const Trigger = {
  when: {
    field: condition,
    and: (...and: ReadonlyArray<TriggerCondition>): TriggerCondition => ({ and }),
    or: (...or: ReadonlyArray<TriggerCondition>): TriggerCondition => ({ or }),
    not: (not: TriggerCondition): TriggerCondition => ({ not })
  },
  database: {
    insert: (table: string, data: Config) => action("database.insert", { table, data }),
    update: (table: string, data: Config, where: Config) => action("database.update", { table, data, where }),
    delete: (table: string, where: Config) => action("database.delete", { table, where })
  },
  storage: {
    upload: (storage: string, path: string, options: Config = {}) =>
      action("storage.upload", { ...options, storage, path }),
    delete: (storage: string, path: string) => action("storage.delete", { storage, path }),
    copy: (storage: string, from: string, to: string) => action("storage.copy", { storage, from, to })
  },
  notification: {
    email: (message: string, recipients: ReadonlyArray<string>, options: Config = {}) =>
      action("notification.email", { ...options, ...tagged(message, "notification"), recipients }),
    sms: (message: string, recipients: ReadonlyArray<string>, options: Config = {}) =>
      action("notification.sms", { ...options, ...tagged(message, "notification"), recipients }),
    push: (message: string, options: Config = {}) =>
      action("notification.push", { ...options, ...tagged(message, "notification") }),
    callback: (message: string, options: Config = {}) =>
      action("notification.callback", { ...options, ...tagged(message, "notification") })
  },
  broker: {
    publish: (topic: string, message: unknown) =>
      action("broker.publish", { ...tagged(topic, "broker"), message })
  },
  cache: {
    /** `seconds`: how long it lives. */
    set: (cache: string, key: string, value: unknown, seconds?: number) =>
      action("cache.set", { cache, key, value, ...(seconds === undefined ? {} : { ttl: seconds }) }),
    invalidate: (cache: string, pattern: string) => action("cache.invalidate", { cache, pattern }),
    delete: (cache: string, key: string) => action("cache.delete", { cache, key })
  },
  feature: {
    execute: (feature: string, input: Config = {}) => action("feature.execute", { feature, input }),
    dispatch: (feature: string, input: Config = {}) => action("feature.dispatch", { feature, input })
  },
  action: {
    execute: (app: string, name: string, input: Config = {}) =>
      action("action.execute", { app, action: name, input })
  },
  agent: {
    run: (agent: string, prompt: string, context: Config = {}) =>
      action("agent.run", { agent, prompt, context })
  },
  http: {
    post: (url: string, body: unknown, options: Config = {}) =>
      action("http.post", { ...options, url, body }),
    get: (url: string, options: Config = {}) => action("http.get", { ...options, url })
  },
  log: {
    info: (text: string, data?: unknown) =>
      action("log.info", { text, ...(data === undefined ? {} : { data }) }),
    error: (text: string, data?: unknown) =>
      action("log.error", { text, ...(data === undefined ? {} : { data }) })
  },
  /** Runs in this process; cannot be stored. */
  custom: (run: (context: TriggerContext) => unknown): TriggerAction => ({ type: "custom", config: { run } })
} as const
