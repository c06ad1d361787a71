export {
  type HashAlgorithm,
  type MaskKind,
  PreSave,
  type PreSaveConfig,
  type PreSaveOp,
  type ValidationRule
} from "./PreSaveOp.ts"
export { decrypt, verifyHash, verifyHashAsync } from "./secretText.ts"
