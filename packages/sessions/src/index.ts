export type { RefusalReason } from "./accessToken.ts"
export type { SessionDashboard } from "./dashboard.ts"
export type {
  FetchUserDetailsInput,
  FetchUsersInput,
  GetInfoInput,
  ListActiveInput,
  Page,
  PageInput,
  SessionInfo,
  SessionUser,
  SessionUserDetails
} from "./listing.ts"
export type { Lifetime, Period } from "./period.ts"
export { RegistrySessionStore } from "./RegistrySessionStore.ts"
export type { RefreshInput } from "./refresh.ts"
export type { RevokeAllInput, Revoked, RevokeInput } from "./revoke.ts"
export type { RotateKeysInput, SessionKeyInfo } from "./rotateKeys.ts"
export type { SessionConfig, StoredSessionConfig } from "./SessionConfig.ts"
export { SessionError } from "./SessionError.ts"
export type { SessionCall, SessionFailure } from "./SessionRuntime.ts"
export * from "./SessionStore.ts"
export { makeSessions, Sessions, type SessionsOptions, type SessionsShape } from "./Sessions.ts"
export type { SessionData } from "./sessionData.ts"
export type { SessionTokens, StartFailure, StartInput } from "./start.ts"
export type { VerifyInput, VerifyResult } from "./verify.ts"
