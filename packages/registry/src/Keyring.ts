/** The workspace's keys: everything is derived from its random 256-bit key, one subkey per purpose. */
export interface Keyring {
  /** 32 bytes by HKDF-SHA-256 (RFC 5869) with `purpose` as info. Kept, so cheap to ask again. */
  readonly subkey: (purpose: string) => Uint8Array
  /**
   * AES-256-GCM under the purpose's subkey with a fresh 96-bit nonce; `associated` must be the same
   * at `open`. Text of the form `v1.<base64url>`.
   */
  readonly seal: (purpose: string, plaintext: string | Uint8Array, associated: string) => string
  /** @throws {RegistryError} `SEAL_BROKEN` if anything of it was changed, naming nothing of the content */
  readonly open: (purpose: string, sealed: string, associated: string) => Uint8Array
  /** HMAC-SHA-256 under the purpose's subkey, in hex. */
  readonly mac: (purpose: string, data: string | Uint8Array) => string
}
