export * from "./PgliteDriver.ts"
