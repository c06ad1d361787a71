import type { MaskKind, PreSaveOp } from "./PreSaveOp.ts"

/** Takes out every `<script>` with what is in it; one that is not closed goes to the end. */
const withoutScripts = (text: string): string => {
  const lower = text.toLowerCase()
  let out = ""
  let from = 0
  for (;;) {
    const start = lower.indexOf("<script", from)
    if (start < 0) return out + text.slice(from)
    out += text.slice(from, start)
    const end = lower.indexOf("</script", start)
    if (end < 0) return out
    const close = lower.indexOf(">", end)
    if (close < 0) return out
    from = close + 1
  }
}

/** Until nothing changes: what is left after one pass may have become a tag. */
export const sanitize = (text: string): string => {
  let before = text
  for (;;) {
    const after = withoutScripts(before).replace(/<[a-z/!?][^<>]*>/gi, "")
    if (after === before) return after.replace(/<[a-z/!?][^<>]*$/i, "")
    before = after
  }
}

export const slugOf = (
  text: string,
  options: {
    readonly separator?: string | undefined
    readonly lowercase?: boolean | undefined
    readonly maxLength?: number | undefined
  }
): string => {
  const { lowercase = true, maxLength, separator = "-" } = options
  const words = text
    .normalize("NFKD")
    .replace(/\p{M}+/gu, "")
    .match(/[\p{L}\p{N}]+/gu)
  const slug = (words ?? []).join(separator)
  const cased = lowercase ? slug.toLowerCase() : slug
  if (maxLength === undefined || cased.length <= maxLength) return cased
  const cut = cased.slice(0, maxLength)
  return separator !== "" && cut.endsWith(separator) ? cut.slice(0, -separator.length) : cut
}

export const truncate = (text: string, op: Extract<PreSaveOp, { readonly type: "truncate" }>): string => {
  const characters = [...text]
  if (characters.length <= op.maxLength) return text
  const suffix = [...(op.suffix ?? "")].slice(0, op.maxLength)
  const kept = characters.slice(0, op.maxLength - suffix.length)
  let cut = kept.join("")
  const next = characters[kept.length] ?? ""
  if (op.wordBoundary === true && !/\s/.test(next)) {
    const words = cut.replace(/\s+\S*$/, "")
    if (words !== "") cut = words
  }
  return cut.trimEnd() + suffix.join("")
}

const letterOrDigit = /[\p{L}\p{N}]/u

/** Covers all but the first and last characters; separators stay where they are. */
const cover = (text: string, first: number, last: number, mark: string, all: boolean): string => {
  const characters = [...text]
  const counts = (character: string): boolean => all || letterOrDigit.test(character)
  const total = characters.filter(counts).length
  // What would show as much as it hides shows nothing.
  const shows = first + last < total
  let seen = 0
  return characters
    .map((character) => {
      if (!counts(character)) return character
      const at = seen++
      return shows && (at < first || at >= total - last) ? character : mark
    })
    .join("")
}

const defaults: Readonly<Record<MaskKind, readonly [first: number, last: number]>> = {
  "credit-card": [0, 4],
  ssn: [0, 4],
  phone: [0, 4],
  email: [1, 0],
  custom: [0, 0]
}

export const mask = (text: string, op: Extract<PreSaveOp, { readonly type: "mask" }>): string => {
  const [first, last] = defaults[op.kind]
  const mark = op.maskChar ?? "*"
  const at = op.kind === "email" ? text.lastIndexOf("@") : -1
  // The length of the name is hidden too.
  if (at >= 0) {
    const shown = op.showFirst ?? first
    return `${at > shown ? [...text].slice(0, shown).join("") : ""}${mark.repeat(3)}${text.slice(at)}`
  }
  return cover(text, op.showFirst ?? first, op.showLast ?? last, mark, op.kind === "custom")
}
