/**
 * What is known of a workspace's apps at compile time. Empty here; a generated `ductape.d.ts`
 * augments it, and `api.run` is then checked and completed:
 *
 * @example
 * declare module "@ductape/sdk" {
 *   interface DuctapeTypes {
 *     actions: { stripe: { "create-charge": { input: { amount: number }; output: { id: string } } } }
 *   }
 * }
 */
// biome-ignore lint/suspicious/noEmptyInterface: it is there to be augmented
export interface DuctapeTypes {}

interface AnyAction {
  readonly input: unknown
  readonly output: unknown
}

/** The known actions by access tag; none without augmentation. */
export type KnownActions = DuctapeTypes extends {
  actions: infer Actions extends Record<string, Record<string, AnyAction>>
}
  ? Actions
  : Record<never, never>

/** Input and output of one known action. */
export type KnownAction<App extends string, Tag extends string> = KnownActions extends {
  readonly [A in App]: { readonly [T in Tag]: infer Action extends AnyAction }
}
  ? Action
  : AnyAction
