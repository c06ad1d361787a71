import { ImportFault } from "./ImportFault.ts"
import type { ImportedOperation, PlanOptions } from "./ImportPlan.ts"

const maxLength = 200

/** `PostCharges`, `getUserByID`, `v1.users_list` → `post-charges`, `get-user-by-id`, `v1-users-list`. */
export const kebab = (text: string): string =>
  text
    .normalize("NFKD")
    .replace(/\p{M}+/gu, "")
    .replace(/['’]/g, "")
    .replace(/(\p{Ll}|\p{N})(\p{Lu})/gu, "$1-$2")
    .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, "$1-$2")
    .replace(/[^\p{L}\p{N}]+/gu, "-")
    .replace(/^-+|-+$/g, "")
    .toLowerCase()
    .slice(0, maxLength)

/** Tags that the lookup takes for the same one. */
export const foldTag = (tag: string): string => tag.toLowerCase().replaceAll("_", "-")

/**
 * A tag for every operation: kebab case of its name, else of method and path; taken → with its
 * folder in front, then `-2`, `-3`, …. The first one keeps the plain tag, so that a document that
 * grows at its end renames nothing. Then the caller's own choices replace some.
 */
export const giveTags = (
  operations: ReadonlyArray<Omit<ImportedOperation, "tag">>,
  wanted: PlanOptions["tags"]
): ReadonlyArray<string> => {
  const taken = new Set<string>()
  const counts = new Map<string, number>()
  const generated = operations.map((operation) => {
    const tag = generate(operation, taken, counts)
    taken.add(tag)
    return tag
  })
  return wanted === undefined ? generated : choose(operations, generated, wanted)
}

const generate = (
  { id, method, path, folder }: Omit<ImportedOperation, "tag">,
  taken: ReadonlySet<string>,
  counts: Map<string, number>
): string => {
  const plain = kebab(id ?? "") || kebab(`${method} ${path}`) || "action"
  if (!taken.has(plain)) return plain
  const group = kebab(folder.at(-1) ?? "")
  const prefixed = group === "" ? plain : `${group}-${plain}`.slice(0, maxLength)
  if (!taken.has(prefixed)) return prefixed
  for (let n = counts.get(prefixed) ?? 2; ; n++) {
    const numbered = `${prefixed}-${n}`
    if (!taken.has(numbered)) {
      counts.set(prefixed, n + 1)
      return numbered
    }
  }
}

const choose = (
  operations: ReadonlyArray<Omit<ImportedOperation, "tag">>,
  generated: ReadonlyArray<string>,
  wanted: NonNullable<PlanOptions["tags"]>
): ReadonlyArray<string> => {
  const used = new Set<string>()
  const chosen = operations.map((operation, index) => {
    const tag = generated[index] ?? ""
    const choice =
      typeof wanted === "function"
        ? wanted({ ...operation, tag })
        : [tag, operation.id].flatMap((name) => {
            if (name === undefined || !Object.hasOwn(wanted, name)) return []
            used.add(name)
            return [wanted[name]]
          })[0]
    if (choice === undefined) return tag
    if (typeof choice !== "string" || !/^[\p{L}\p{N}][\p{L}\p{N}_.-]{0,199}$/u.test(choice)) {
      throw refuse(
        `the tag chosen for ${operation.method} ${operation.path} must be letters, digits, '-', '_' and '.'`
      )
    }
    return choice
  })
  const unknown = typeof wanted === "function" ? [] : Object.keys(wanted).filter((name) => !used.has(name))
  if (unknown.length > 0) throw refuse(`no operation has the tag or operationId '${unknown.join("', '")}'`)
  const owners = new Map<string, number>()
  for (const [index, tag] of chosen.entries()) {
    const other = owners.get(foldTag(tag))
    if (other !== undefined) {
      const [a, b] = [operations[other], operations[index]]
      throw refuse(`'${tag}' would be the tag of both ${a?.method} ${a?.path} and ${b?.method} ${b?.path}`)
    }
    owners.set(foldTag(tag), index)
  }
  return chosen
}

const refuse = (message: string) => new ImportFault(`tags: ${message}`, undefined, "VALIDATION_ERROR")
