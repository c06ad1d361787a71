export { type ImportDocType, ImportDocTypes } from "./ImportDocTypes.ts"
export type { ImportedOperation, ImportPlan, PlanOptions } from "./ImportPlan.ts"
export { type ImportOptions, type ImportResult, importApp } from "./importApp.ts"
export { planImport } from "./planImport.ts"
