/** Warnings of one import; the same fault in many places is one line. */
export class Warnings {
  readonly #places = new Map<string, { first: string | undefined; count: number }>()

  add(message: string, place?: string): void {
    const known = this.#places.get(message)
    if (known === undefined) this.#places.set(message, { first: place, count: 1 })
    else known.count++
  }

  list(): ReadonlyArray<string> {
    return [...this.#places].map(([message, { first, count }]) => {
      if (first === undefined) return message
      return count === 1 ? `${message} (${first})` : `${message} (${first}, and ${count - 1} more)`
    })
  }
}
