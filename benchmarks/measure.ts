import type { Measures } from "./suite.ts"

export const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN

export interface LoadOptions {
  /** Calls under way at once. */
  readonly concurrency: number
  /** Measured calls, after a quarter as many to warm up. */
  readonly calls: number
}

/** Throughput in operations per second; p50, p99 and this process's processor time for one call in milliseconds. */
export const underLoad = async (
  call: (index: number) => Promise<unknown>,
  { calls, concurrency }: LoadOptions
): Promise<Measures> => {
  const drive = async (count: number) => {
    const latencies = new Float64Array(count)
    let next = 0
    const worker = async () => {
      while (next < count) {
        const index = next++
        const started = performance.now()
        await call(index)
        latencies[index] = performance.now() - started
      }
    }
    const started = performance.now()
    await Promise.all(Array.from({ length: concurrency }, worker))
    return { latencies: latencies.sort(), elapsed: performance.now() - started }
  }
  await drive(Math.ceil(calls / 4))
  const before = process.cpuUsage()
  const { elapsed, latencies } = await drive(calls)
  const { system, user } = process.cpuUsage(before)
  return {
    throughput: (calls / elapsed) * 1000,
    p50: latencies[calls >> 1] ?? Number.NaN,
    p99: latencies[Math.floor(calls * 0.99)] ?? Number.NaN,
    processor: (system + user) / 1000 / calls
  }
}

/** Operations per second of a synchronous call, in batches so that the clock is not what is measured. */
export const inBatches = (call: (index: number) => unknown, calls: number): Measures => {
  const drive = (count: number) => {
    const started = performance.now()
    for (let index = 0; index < count; index++) call(index)
    return performance.now() - started
  }
  drive(Math.ceil(calls / 4))
  return { throughput: (calls / drive(calls)) * 1000 }
}

/** Milliseconds of one call. */
export const timed = async (call: () => Promise<unknown>): Promise<Measures> => {
  const started = performance.now()
  await call()
  return { time: performance.now() - started }
}
