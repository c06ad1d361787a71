import { RegistryError } from "@ductape/registry"

/**
 * Which product or app the builder methods work on: each takes its tag as an extra first argument,
 * told apart by count, and otherwise the one chosen by `init` counts.
 */
export class Owner {
  readonly #what: "product" | "app"
  #current: string | undefined

  constructor(what: "product" | "app", initial?: string) {
    this.#what = what
    this.#current = initial
  }

  set(tag: string): void {
    if (typeof tag !== "string" || tag === "") {
      throw new RegistryError({
        code: "VALIDATION_ERROR",
        message: `${this.#what}.init takes the tag of ${this.#what === "app" ? "an app" : "a product"}.`
      })
    }
    this.#current = tag
  }

  get(): string {
    if (this.#current !== undefined) return this.#current
    throw new RegistryError({
      code: "BUILDER_CONTEXT_MISSING",
      message:
        this.#what === "app"
          ? "Which app? Call app.init(tag) first, or pass the app's tag as the first argument."
          : "Which product? Call product.init(tag) first, pass its tag as the first argument, or set product on new Ductape({ … })."
    })
  }

  /** Splits `[owner?, …own]` where the method's own arguments are `own` in number. */
  split(args: ReadonlyArray<unknown>, own: number): [owner: string, ...own: ReadonlyArray<unknown>] {
    if (args.length <= own) return [this.get(), ...args]
    const [owner, ...rest] = args
    if (typeof owner === "string" && owner !== "") return [owner, ...rest]
    throw new RegistryError({
      code: "VALIDATION_ERROR",
      message: `With ${args.length} arguments the first must be the ${this.#what}'s tag.`
    })
  }
}

/** A builder method: its own arguments, optionally after the owner's tag. */
export interface Owned<Own extends ReadonlyArray<unknown>, A> {
  (...own: Own): Promise<A>
  (owner: string, ...own: Own): Promise<A>
}

/** Makes a builder method whose own arguments are `count` in number. */
export const owned =
  <Own extends ReadonlyArray<unknown>, A>(
    owner: Owner,
    count: Own["length"] & number,
    call: (tag: string, ...own: Own) => Promise<A>
  ): Owned<Own, A> =>
  async (...args: ReadonlyArray<unknown>) => {
    const [tag, ...own] = owner.split(args, count)
    return call(tag, ...(own as unknown as Own))
  }
