import type { Keyring } from "@ductape/registry"

const purpose = "cache-values"

/** Seals the values of one cache; the address of an entry is bound to it, so that values cannot be swapped. */
export interface Sealer {
  readonly seal: (text: string, address: string) => string
  /** `undefined`: it was not sealed for that address with a key of this workspace. */
  readonly open: (sealed: string, address: string) => string | undefined
}

export const makeSealer = (keyring: Keyring): Sealer => ({
  seal: (text, address) => keyring.seal(purpose, text, address),
  open: (sealed, address) => {
    try {
      return Buffer.from(keyring.open(purpose, sealed, address)).toString("utf8")
    } catch {
      return undefined
    }
  }
})
