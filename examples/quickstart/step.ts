import { readFileSync } from "node:fs"
import { inspect } from "node:util"
import colors from "picocolors"

const keyword = /\b(await|const|new|async|return|import)\b/g

const program = readFileSync(new URL("main.ts", import.meta.url), "utf8").split("\n")

/** The lines of the step, as they stand in the program. */
const source = (title: string): string => {
  const first = program.findIndex((line) => line.includes(`step(${JSON.stringify(title)}`))
  const last = program.indexOf("  })", first)
  return program
    .slice(first + 1, last)
    .map((line) => line.slice(4))
    .join("\n")
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
  console.log(`\n${colors.bold(colors.cyan(`${count}. ${title}`))}\n${paint(source(title))}`)
  const started = performance.now()
  const result = await run()
  const took = performance.now() - started
  if (result !== undefined) console.log(show(result))
  console.log(colors.dim(`  ${took.toFixed(took < 10 ? 1 : 0)} ms`))
  return result
}
