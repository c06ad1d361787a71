export * from "./PostgresDriver.ts"
