import { randomBytes } from "node:crypto"

const own = randomBytes(9).toString("base64url")
let count = 0

/** A text that no write of any process had before; also names the holder of a lease. */
export const nextRevision = (): string => `${own}-${(count++).toString(36)}`
