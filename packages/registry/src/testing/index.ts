export { testWorkspace } from "./testWorkspace.ts"
