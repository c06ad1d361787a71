export { type StoreSuiteOptions, suite } from "./storeSuite.ts"
export { testWorkspace } from "./testWorkspace.ts"
