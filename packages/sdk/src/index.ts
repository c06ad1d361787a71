export { ActionError, ImportDocTypes } from "@ductape/api"
export { CacheError } from "@ductape/cache"
export {
  AdapterError,
  ContextError,
  DuctapeError,
  escapeTemplate,
  FilterError,
  isDuctapeError,
  literal,
  secret,
  TemplateError,
  template
} from "@ductape/core"
export { DatabaseError, MigrationHelpers, migration, SchemaHelpers, Trigger } from "@ductape/databases"
export { RegistryError, SecretError } from "@ductape/registry"
export { SessionError } from "@ductape/sessions"
export { CacheService } from "./CacheService.ts"
export { createWorkspace } from "./createWorkspace.ts"
export { DatabaseService } from "./DatabaseService.ts"
export { Ductape, Ductape as default } from "./Ductape.ts"
export type { DuctapeServices } from "./DuctapeLayer.ts"
export type { DuctapeOptions, Logger, TelemetryOptions } from "./DuctapeOptions.ts"
export type { DuctapeTypes } from "./DuctapeTypes.ts"
