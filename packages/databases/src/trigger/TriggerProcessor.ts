import { AsyncLocalStorage } from "node:async_hooks"
import { setTimeout as pause } from "node:timers/promises"
import type { BoundCalls } from "../BoundCalls.ts"
import { DatabaseError, invalid } from "../DatabaseError.ts"
import { quoteTable } from "../sql/identifier.ts"
import { checkCondition, holds } from "./condition.ts"
import {
  checkAddress,
  configOf,
  type DuctapeInstance,
  executorsOf,
  missing,
  ownExecutors,
  type TriggerExecutor,
  type TriggerExecutors
} from "./executors.ts"
import { checkPlaceholders, fill } from "./placeholders.ts"
import {
  type StoredTriggerDef,
  type TriggerAction,
  type TriggerContext,
  type TriggerDef,
  TriggerEvent,
  type TriggerEventName,
  type TriggerRetry
} from "./Trigger.ts"

export interface TriggerFailure {
  readonly error: unknown
  readonly trigger: string
  readonly action: string
  readonly context: TriggerContext
}

export interface TriggerConfig {
  /** Told of failures that no call can throw. Default: a warning of the process. */
  onError?: ((failure: TriggerFailure) => void) | undefined
  /** Where `log` actions go. Default: the console. */
  log?: {
    readonly info: (text: string, data?: unknown) => void
    readonly error: (text: string, data?: unknown) => void
  }
}

/** Where the actions of one firing run. */
export interface Firing {
  /** For synchronous actions: in the transaction of the write. */
  readonly calls: BoundCalls
  /** For those that come later. */
  readonly laterCalls: BoundCalls
  /** Runs once the write is committed. */
  readonly later: (run: () => void) => void
}

const events: ReadonlySet<string> = new Set(Object.values(TriggerEvent))
const timings = new Set(["SYNC", "ASYNC", "QUEUED"])
const anyTable = "*"
const maxDepth = 16

/** Triggers that set off triggers, and so on. */
const depth = new AsyncLocalStorage<number>()

const groups = new Set([
  "database",
  "storage",
  "notification",
  "broker",
  "cache",
  "feature",
  "action",
  "agent",
  "http",
  "log",
  "custom"
])

/** @throws `VALIDATION_ERROR` */
export const checkTrigger = (def: TriggerDef, path = "trigger"): void => {
  if (typeof def !== "object" || def === null) throw invalid(`${path}: expected an object.`, path)
  if (typeof def.name !== "string" || def.name === "") throw invalid(`${path}.name: missing.`, `${path}.name`)
  if (
    !Array.isArray(def.events) ||
    def.events.length === 0 ||
    def.events.some((event) => !events.has(event))
  ) {
    throw invalid(`${path}.events: expected a list of ${[...events].join(", ")}.`, `${path}.events`)
  }
  if (!Array.isArray(def.actions)) throw invalid(`${path}.actions: expected a list.`, `${path}.actions`)
  if (def.condition !== undefined) checkCondition(def.condition, `${path}.condition`)
  for (const [i, action] of (def.actions as ReadonlyArray<TriggerAction>).entries()) {
    const at = `${path}.actions[${i}]`
    if (typeof action?.type !== "string" || !groups.has(action.type.split(".")[0] ?? "")) {
      throw invalid(
        `${at}.type: expected one of ${[...groups].join(", ")}, as in 'database.insert'.`,
        `${at}.type`
      )
    }
    if (action.timing !== undefined && !timings.has(action.timing)) {
      throw invalid(`${at}.timing: expected SYNC, ASYNC or QUEUED.`, `${at}.timing`)
    }
    const attempts = action.retry?.maxAttempts
    if (action.retry !== undefined && !(Number.isSafeInteger(attempts) && Number(attempts) >= 1)) {
      throw invalid(`${at}.retry.maxAttempts: expected a whole number, 1 or more.`, `${at}.retry.maxAttempts`)
    }
    const config = configOf(action)
    checkPlaceholders(config, `${at}.config`)
    if (action.type.startsWith("http.")) checkAddress(config["url"], `${at}.config.url`)
  }
}

const codeOf = (cause: unknown): string | undefined => {
  const { code, name } = (typeof cause === "object" && cause !== null ? cause : {}) as {
    readonly code?: unknown
    readonly name?: unknown
  }
  return typeof code === "string" ? code : typeof name === "string" ? name : undefined
}

const repeated = async (retry: TriggerRetry | undefined, run: () => Promise<unknown>): Promise<unknown> => {
  const {
    backoffMultiplier = 2,
    initialDelay = 100,
    maxAttempts = 1,
    maxDelay = 30_000,
    retryOn
  } = retry ?? {}
  let delay = initialDelay
  for (let attempt = 1; ; attempt++) {
    try {
      return await run()
    } catch (cause) {
      const worth = retryOn === undefined || retryOn.includes(codeOf(cause) ?? "")
      if (attempt >= maxAttempts || !worth) throw cause
    }
    await pause(Math.min(delay, maxDelay))
    delay *= backoffMultiplier
  }
}

const timingOf = (action: TriggerAction): "SYNC" | "ASYNC" | "QUEUED" => action.timing ?? "SYNC"

/** Triggers in memory: which there are, and running their actions. */
export class TriggerProcessor {
  readonly config: TriggerConfig = {}
  readonly #tables = new Map<string, Map<string, TriggerDef>>()
  /** Names of those that came from the workspace, by table. */
  readonly #stored: Array<readonly [table: string, name: string]> = []
  #executors: TriggerExecutors = {}
  #queue: Promise<unknown> = Promise.resolve()
  readonly #running = new Set<Promise<unknown>>()

  get isEmpty(): boolean {
    return this.#tables.size === 0
  }

  /** Replaces one of the same name. `*` is every table. @throws `VALIDATION_ERROR` */
  register(table: string, def: TriggerDef): void {
    if (table !== anyTable) quoteTable(table)
    checkTrigger(def)
    const known = this.#tables.get(table) ?? new Map<string, TriggerDef>()
    known.set(def.name, def)
    this.#tables.set(table, known)
  }

  /** `false`: there was none. */
  unregister(table: string, name: string): boolean {
    const known = this.#tables.get(table)
    const found = known?.delete(name) ?? false
    if (known?.size === 0) this.#tables.delete(table)
    return found
  }

  /** Puts those of the workspace in place of those loaded before. */
  replaceStored(defs: ReadonlyArray<StoredTriggerDef>): void {
    for (const def of defs) checkTrigger(def, `trigger '${def.tag}'`)
    for (const [table, name] of this.#stored.splice(0)) this.unregister(table, name)
    for (const def of defs) {
      for (const table of def.tables) {
        this.register(table, { ...def, name: def.tag })
        this.#stored.push([table, def.tag])
      }
    }
  }

  /** Enabled ones, lowest priority number first. Those of `…Write` are in all three events. */
  getTriggersForEvent(table: string, event: TriggerEventName): ReadonlyArray<TriggerDef> {
    const own = this.#tables.get(table)
    const all = this.#tables.get(anyTable)
    if (own === undefined && all === undefined) return []
    const wide = event.startsWith("before") ? TriggerEvent.BEFORE_WRITE : TriggerEvent.AFTER_WRITE
    return [...(own?.values() ?? []), ...(all?.values() ?? [])]
      .filter((def) => def.enabled !== false && (def.events.includes(event) || def.events.includes(wide)))
      .sort((a, b) => (a.priority ?? 100) - (b.priority ?? 100))
  }

  /** Lets actions reach what is outside of the database: caches, apps, other databases. */
  setDuctapeInstance(ductape: DuctapeInstance): void {
    this.#executors = { ...this.#executors, ...executorsOf(ductape) }
  }

  /** Adds executors, by type or by what stands before the dot. */
  setExecutors(executors: TriggerExecutors): void {
    this.#executors = { ...this.#executors, ...executors }
  }

  /** Waits until no asynchronous or queued action is left. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.allSettled([...this.#running])
  }

  /**
   * Runs the triggers of an event. A failed synchronous action ends it with `TRIGGER_ERROR`, whose
   * `cause` is the failure; with `continueOnError` it goes to `onError` instead. Asynchronous and
   * queued ones start when `firing.later` says, and their failures go to `onError`.
   */
  async execute(event: TriggerEventName, context: TriggerContext, firing: Firing): Promise<void> {
    const level = (depth.getStore() ?? 0) + 1
    const triggers = this.getTriggersForEvent(context.table, event)
    if (triggers.length === 0) return
    if (level > maxDepth) {
      throw new DatabaseError({
        code: "TRIGGER_ERROR",
        message: `Triggers of table '${context.table}' set each other off more than ${maxDepth} times.`,
        table: context.table
      })
    }
    await depth.run(level, async () => {
      for (const trigger of triggers) {
        if (holds(trigger.condition, context)) await this.#fire(trigger, context, firing)
      }
    })
  }

  /** Tells of a failure that has nobody to be thrown at. */
  report(failure: TriggerFailure): void {
    if (this.config.onError !== undefined) {
      this.config.onError(failure)
      return
    }
    process.emitWarning(
      `Action '${failure.action}' of trigger '${failure.trigger}' on table '${failure.context.table}' failed: ${codeOf(failure.error) ?? "unknown"}. Set triggers.getProcessor().config.onError to be told more.`,
      "TriggerWarning"
    )
  }

  async #fire(trigger: TriggerDef, context: TriggerContext, firing: Firing): Promise<void> {
    for (const action of trigger.actions) {
      const timing = timingOf(action)
      const name = action.name ?? action.type
      const failed = (error: unknown): void =>
        this.report({ error, trigger: trigger.name, action: name, context })
      if (timing !== "SYNC") {
        firing.later(() =>
          this.#start(timing, () => this.#run(action, context, firing.laterCalls).catch(failed))
        )
        continue
      }
      try {
        await this.#run(action, context, firing.calls)
      } catch (cause) {
        if (action.continueOnError === true) {
          failed(cause)
          continue
        }
        throw new DatabaseError({
          code: "TRIGGER_ERROR",
          message: `Action '${name}' of trigger '${trigger.name}' (${context.event}) failed: ${cause instanceof DatabaseError ? cause.message : (codeOf(cause) ?? "unknown")}`,
          table: context.table,
          database: context.database,
          details: { trigger: trigger.name, action: name, event: context.event, code: codeOf(cause) },
          cause
        })
      }
    }
  }

  #start(timing: "ASYNC" | "QUEUED", run: () => Promise<unknown>): void {
    const work = timing === "QUEUED" ? this.#queue.then(run) : run()
    if (timing === "QUEUED") this.#queue = work
    this.#running.add(work)
    void work.finally(() => this.#running.delete(work))
  }

  async #run(action: TriggerAction, context: TriggerContext, calls: BoundCalls): Promise<void> {
    const executor = this.#executorOf(action.type)
    await repeated(action.retry, async () => executor(configOf(action), context, calls))
  }

  #executorOf(type: string): TriggerExecutor {
    const [group = ""] = type.split(".")
    const found = this.#executors[type] ?? this.#executors[group] ?? ownExecutors[type]
    if (found !== undefined) return found
    if (group === "log") return (config, context) => this.#log(type, config, context)
    throw missing(group)
  }

  #log(type: string, config: Readonly<Record<string, unknown>>, context: TriggerContext): void {
    const { data, text } = fill(config, context) as { readonly text?: unknown; readonly data?: unknown }
    const log = this.config.log ?? console
    const line = String(text ?? "")
    const write = type === "log.error" ? log.error : log.info
    if (data === undefined) write.call(log, line)
    else write.call(log, line, data)
  }
}
