import type { ProcessMain } from "../src/index.ts"

const greet: ProcessMain<{ readonly mode: string }> = async ({ mode }, { count, index, report }) => {
  if (mode === "fail" && index === 1) throw new Error("one fails")
  if (mode === "exit" && index === 1) process.exit(3)
  await report({ pid: process.pid })
  if (mode === "stay" || (mode === "fail" && index !== 1))
    await new Promise((resolve) => setTimeout(resolve, 60_000))
  return { index, count }
}

export default greet
