import type { DuctapeError } from "@ductape/core"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import type { Logger, TelemetryOptions } from "./DuctapeOptions.ts"

const method = (level: string): keyof Logger => {
  switch (level) {
    case "Fatal":
    case "Error":
      return "error"
    case "Warn":
      return "warn"
    case "Info":
      return "info"
    default:
      return "debug"
  }
}

/**
 * Hands what the library logs to the user's logger; warnings and errors only where that is `console`.
 * Effect's module brings streams and file systems along: it is loaded when a client opens.
 */
export const loggerLayer = (logger: Logger | false): Layer.Layer<never> =>
  Layer.unwrap(
    Effect.promise(async () => {
      const EffectLogger = await import("effect/Logger")
      if (logger === false) return EffectLogger.layer([])
      const toUser = EffectLogger.make<unknown, void>(({ cause, logLevel, message }) => {
        const [first, ...rest] = Array.isArray(message) ? message : [message]
        const fields = [...rest, ...(cause.reasons.length === 0 ? [] : [Cause.squash(cause)])]
        const text = `ductape: ${String(first)}`
        if (fields.length === 0) logger[method(logLevel)](text)
        else logger[method(logLevel)](text, fields.length === 1 ? fields[0] : fields)
      })
      return Layer.mergeAll(
        EffectLogger.layer([toUser]),
        Layer.succeed(References.MinimumLogLevel, logger === console ? "Warn" : "Debug")
      )
    })
  )

/** Waits as ever, but keeps no process alive: an exporter waits for as long as the program runs. */
const idleClock = (clock: Clock.Clock): Clock.Clock =>
  Object.assign(Object.create(clock) as Clock.Clock, {
    sleep: (duration: Duration.Duration) =>
      Effect.callback<void>((resume) => {
        const timer = setTimeout(() => resume(Effect.void), Duration.toMillis(duration)).unref()
        return Effect.sync(() => clearTimeout(timer))
      })
  })

/** Exports spans over OTLP/HTTP. Its modules are loaded only here, so they cost nothing to others. */
export const telemetryLayer = (options: TelemetryOptions | undefined): Layer.Layer<never, DuctapeError> =>
  options === undefined
    ? Layer.empty
    : Layer.unwrap(
        Effect.promise(async () => {
          const [Tracer, Serialization, FetchHttpClient] = await Promise.all([
            import("effect/observability/OtlpTracer"),
            import("effect/observability/OtlpSerialization"),
            import("effect/http/FetchHttpClient")
          ])
          const exporter = Tracer.layer({
            url: options.endpoint,
            resource: { serviceName: options.serviceName ?? "ductape" },
            ...(options.headers === undefined ? {} : { headers: options.headers })
          })
          return Layer.effectDiscard(Effect.void).pipe(
            Layer.provideMerge(exporter),
            Layer.provide(Serialization.layerJson),
            Layer.provide(FetchHttpClient.layer),
            Layer.provide(Layer.effect(Clock.Clock, Effect.map(Clock.Clock, idleClock)))
          ) as Layer.Layer<never>
        })
      )
