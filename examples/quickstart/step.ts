import { inspect } from "node:util"
import colors from "picocolors"

const keyword = /\b(await|const|new|async|return|import)\b/g

/** The body of the function that is about to run, as it stands in the source. */
const source = (run: () => unknown): string => {
  const lines = run.toString().split("\n").slice(1, -1)
  const indent = Math.min(...lines.filter((line) => line.trim() !== "").map((line) => line.search(/\S/)))
  return lines.map((line) => line.slice(indent)).join("\n")
}

const paint = (code: string): string =>
  code
    .split("\n")
    .map((line) => {
      const text = line.replace(keyword, (word) => colors.magenta(word))
      return `  ${colors.dim("│")} ${text}`
    })
    .join("\n")

const show = (value: unknown): string =>
  inspect(value, { colors: colors.isColorSupported, depth: 4, compact: 3, breakLength: 96 })
    .split("\n")
    .map((line) => `  ${line}`)
    .join("\n")

let count = 0

/** Shows the code, runs it, shows what it returned and how long it took. */
export const step = async <A>(title: string, run: () => Promise<A>): Promise<A> => {
  count += 1
  console.log(`\n${colors.bold(colors.cyan(`${count}. ${title}`))}\n${paint(source(run))}`)
  const started = performance.now()
  const result = await run()
  const took = performance.now() - started
  if (result !== undefined) console.log(show(result))
  console.log(colors.dim(`  ${took.toFixed(took < 10 ? 1 : 0)} ms`))
  return result
}
