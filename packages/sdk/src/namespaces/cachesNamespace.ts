import {
  Caches,
  type CacheValue,
  type GetInput,
  type ReadInput,
  type SetInput,
  type StoredCacheConfig
} from "@ductape/cache"
import type { DuctapeError } from "@ductape/core"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Runner } from "../Runner.ts"
import { methods } from "./methods.ts"

type Patch = Parameters<Caches["Service"]["update"]>[0]["patch"]

/** `ductape.caches`: values, read-through, counters, in memory or on Redis. */
export const cachesNamespace = (runner: Runner<Caches>) => {
  const calls = methods(runner, Caches, [
    "create",
    "set",
    "clear",
    "del",
    "clearAll",
    "expire",
    "increment",
    "compareAndSet",
    "has",
    "ttl",
    "keys",
    "fetchValues",
    "values",
    "fetchRemote",
    "fetchDashboard"
  ])

  let services: typeof runner.context
  let service: Caches["Service"] | undefined
  /** The service, once it is there: what is in memory is answered without an Effect. */
  const built = (): Caches["Service"] | undefined => {
    const now = runner.context
    if (now !== services) {
      services = now
      service = now === undefined ? undefined : Context.get(now, Caches)
    }
    return service
  }

  const slowly = (input: GetInput & { readonly signal?: AbortSignal }): Promise<unknown> =>
    runner.use(Caches, (_) => _.get(input) as Effect.Effect<unknown, DuctapeError>, input.signal)

  function get<A>(input: ReadInput<A, unknown>): Promise<A>
  function get(input: GetInput): Promise<CacheValue | null>
  function get(input: GetInput): Promise<unknown> {
    return built()?.getSettled(input) ?? slowly(input)
  }

  async function set(input: SetInput & { readonly signal?: AbortSignal }): Promise<true> {
    return built()?.setSync(input) ?? calls.set(input)
  }

  function fetch(tag: string): Promise<StoredCacheConfig>
  function fetch(product: string, tag: string): Promise<StoredCacheConfig>
  function fetch(...args: [string] | [string, string]): Promise<StoredCacheConfig> {
    const [tag, product] = [...args].reverse() as [string, string | undefined]
    return runner.use(Caches, (_) => _.fetch({ tag, product }))
  }
  function update(tag: string, patch: Patch): Promise<StoredCacheConfig>
  function update(product: string, tag: string, patch: Patch): Promise<StoredCacheConfig>
  function update(...args: [string, Patch] | [string, string, Patch]): Promise<StoredCacheConfig> {
    const [patch, tag, product] = [...args].reverse() as [Patch, string, string | undefined]
    return runner.use(Caches, (_) => _.update({ tag, product, patch }))
  }
  function remove(tag: string): Promise<boolean>
  function remove(product: string, tag: string): Promise<boolean>
  function remove(...args: [string] | [string, string]): Promise<boolean> {
    const [tag, product] = [...args].reverse() as [string, string | undefined]
    return runner.use(Caches, (_) => _.delete({ tag, product }))
  }
  const fetchAll = (product?: string): Promise<ReadonlyArray<StoredCacheConfig>> =>
    runner.use(Caches, (_) => _.fetchAll({ product }))

  return { ...calls, get, set, fetch, update, delete: remove, fetchAll, list: fetchAll }
}
