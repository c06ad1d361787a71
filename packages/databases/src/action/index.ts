export type { ActionCalls, ExecuteInput, StoredDatabaseAction } from "./ActionCalls.ts"
export {
  type DatabaseAction,
  type DatabaseActionInput,
  DatabaseActionType,
  DatabaseActionTypes,
  type DatabaseOperation
} from "./DatabaseAction.ts"
export type { ActionRows } from "./executeAction.ts"
