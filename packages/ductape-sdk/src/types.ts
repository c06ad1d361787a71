export * from "@ductape/sdk/types"
