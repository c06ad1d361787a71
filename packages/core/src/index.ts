export * from "./Adapter.ts"
export * from "./CallContext.ts"
export * from "./CallServices.ts"
export * from "./DuctapeError.ts"
