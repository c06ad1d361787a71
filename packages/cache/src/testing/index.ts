export { type ModelSuiteOptions, modelSuite } from "./modelSuite.ts"
export { type SuiteOptions, suite } from "./suite.ts"
export { eventually, newEntry, newScope, steppingClock } from "./support.ts"
