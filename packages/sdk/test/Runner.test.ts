import { RegistryError } from "@ductape/registry"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { assert, describe, it } from "vitest"
import { Runner } from "../src/Runner.ts"

class Counter extends Context.Service<Counter, { readonly value: number }>()("test/Counter") {}

const failure = new RegistryError({ code: "STORE_FAILED", message: "no store" })

const rejection = (promise: Promise<unknown>): Promise<RegistryError> =>
  promise.then(
    () => assert.fail("it resolved"),
    (error) => error
  )

describe("Runner", () => {
  it("builds once for concurrent callers, and not before the first call", async () => {
    let builds = 0
    const runner = new Runner(
      Layer.effect(
        Counter,
        Effect.sync(() => ({ value: ++builds }))
      )
    )
    assert.strictEqual(builds, 0)
    const all = await Promise.all(
      Array.from({ length: 20 }, () => runner.use(Counter, (_) => Effect.succeed(_.value)))
    )
    assert.deepEqual(new Set(all), new Set([1]))
    await runner.close()
  })

  it("tries again after a build that failed, and rejects with the very error", async () => {
    let builds = 0
    const runner = new Runner(
      Layer.effect(
        Counter,
        Effect.suspend(() => (++builds === 1 ? Effect.fail(failure) : Effect.succeed({ value: builds })))
      )
    )
    const call = () => runner.use(Counter, (_) => Effect.succeed(_.value))
    const both = await Promise.all([rejection(call()), rejection(call())])
    assert.strictEqual(both[0], failure)
    assert.strictEqual(both[1], failure)
    assert.strictEqual(await call(), 2)
    await runner.close()
  })

  it("closing interrupts running calls, releases what is open once, and refuses later calls", async () => {
    let released = 0
    const runner = new Runner(
      Layer.effect(
        Counter,
        Effect.acquireRelease(Effect.succeed({ value: 1 }), () =>
          Effect.sync(() => {
            released += 1
          })
        )
      )
    )
    await runner.use(Counter, () => Effect.void)
    const running = rejection(runner.use(Counter, () => Effect.never))
    await Promise.all([runner.close(), runner.close()])
    assert.strictEqual((await running).code, "CLIENT_CLOSED")
    assert.strictEqual((await rejection(runner.use(Counter, () => Effect.void))).code, "CLIENT_CLOSED")
    assert.strictEqual(released, 1)
  })

  it("an aborted call rejects with the signal's reason", async () => {
    const runner = new Runner(Layer.succeed(Counter, { value: 1 }))
    const controller = new AbortController()
    const running = rejection(runner.use(Counter, () => Effect.never, controller.signal))
    const reason = new Error("enough")
    controller.abort(reason)
    assert.strictEqual(await running, reason)
    await runner.close()
  })

  it("a call aborted while the services are built leaves the other calls alone", async () => {
    const opening = Promise.withResolvers<void>()
    let builds = 0
    const runner = new Runner(
      Layer.effect(
        Counter,
        Effect.promise(() => opening.promise.then(() => ({ value: ++builds })))
      )
    )
    const controller = new AbortController()
    const aborted = rejection(runner.use(Counter, () => Effect.void, controller.signal))
    const other = runner.use(Counter, (_) => Effect.succeed(_.value))
    const reason = new Error("enough")
    controller.abort(reason)
    assert.strictEqual(await aborted, reason)
    opening.resolve()
    assert.strictEqual(await other, 1)
    await runner.close()
  })

  it("closing before the first call is fine", async () => {
    const runner = new Runner(Layer.succeed(Counter, { value: 1 }))
    await runner.close()
    assert.strictEqual((await rejection(runner.run(Effect.void))).code, "CLIENT_CLOSED")
  })
})
