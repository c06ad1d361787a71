import type { SecretMeta } from "./entities.ts"
import { SecretError } from "./RegistryError.ts"

/** A secret as it is kept: everything but the value can be read. */
export interface SecretRow {
  readonly _id: string
  readonly key: string
  readonly description?: string
  readonly token_type?: string
  readonly scope?: ReadonlyArray<string>
  readonly envs?: ReadonlyArray<string>
  readonly expires_at: number | null
  /** Whoever keeps secrets of its own (OAuth) names itself; see `Secrets.put`. */
  readonly owner?: string
  readonly revokedAt?: string
  /** Grows with each new value, and is bound to it. */
  readonly valueVersion: number
  /** Gone once revoked. */
  readonly sealed?: string
  readonly createdAt: string
  readonly updatedAt: string
}

/** A secret row with its value, once that was needed. */
export interface OpenSecret {
  readonly row: SecretRow
  readonly value: string | undefined
}

export const isExpired = (row: Pick<SecretRow, "expires_at">, now: number): boolean =>
  row.expires_at !== null && now >= row.expires_at * 1_000

export const secretMeta = (row: SecretRow, workspaceId: string, now: number): SecretMeta => {
  const { owner: _, revokedAt, sealed: __, valueVersion: ___, ...meta } = row
  return {
    ...meta,
    workspace_id: workspaceId,
    status: revokedAt !== undefined ? "revoked" : isExpired(row, now) ? "expired" : "active"
  }
}

export const secretNotFound = (key: string): SecretError =>
  new SecretError({ code: "SECRET_NOT_FOUND", message: `Secret '${key}' not found`, details: { key } })

export const secretRevoked = (key: string): SecretError =>
  new SecretError({ code: "SECRET_REVOKED", message: `Secret '${key}' has been revoked`, details: { key } })

export const secretExpired = (key: string): SecretError =>
  new SecretError({ code: "SECRET_EXPIRED", message: `Secret '${key}' has expired`, details: { key } })

export const secretOutOfScope = (key: string, app: string): SecretError =>
  new SecretError({
    code: "SECRET_SCOPE",
    message: `Secret '${key}' is not accessible by app '${app}'`,
    details: { key, app }
  })

export const secretOutOfEnv = (key: string, env: string): SecretError =>
  new SecretError({
    code: "SECRET_ENV",
    message: `Secret '${key}' is not available in environment '${env}'`,
    details: { key, env }
  })

export const secretUnreadable = (key: string): SecretError =>
  new SecretError({
    code: "SECRET_DECRYPT",
    message: `Secret '${key}' could not be decrypted`,
    details: { key }
  })
