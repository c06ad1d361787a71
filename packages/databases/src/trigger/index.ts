export type { DuctapeInstance, TriggerExecutor, TriggerExecutors } from "./executors.ts"
export {
  type ConditionOperator,
  type StoredTriggerDef,
  Trigger,
  type TriggerAction,
  type TriggerCondition,
  type TriggerContext,
  type TriggerDef,
  TriggerEvent,
  type TriggerEventName,
  type TriggerRetry,
  TriggerTiming
} from "./Trigger.ts"
export type {
  HandleTriggers,
  StoredTrigger,
  TriggerCalls,
  TriggerDefInput,
  TriggerInput,
  TriggerRegistry
} from "./TriggerCalls.ts"
export { type Firing, type TriggerConfig, type TriggerFailure, TriggerProcessor } from "./TriggerProcessor.ts"
