export * from "./ActionError.ts"
