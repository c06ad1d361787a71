import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "./runTool.ts"

export interface Manifest {
  readonly name: string
  readonly version: string
  readonly private?: boolean
  readonly exports?: Readonly<Record<string, string>>
  readonly publishConfig?: { readonly exports?: Readonly<Record<string, string>> }
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

export interface WorkspacePackage {
  /** The folder's name under `packages/`. */
  readonly folder: string
  readonly directory: string
  readonly manifest: Manifest
}

export const workspacePackages = (base = root): ReadonlyArray<WorkspacePackage> => {
  const home = join(base, "packages")
  return readdirSync(home)
    .sort()
    .filter((folder) => existsSync(join(home, folder, "package.json")))
    .map((folder) => ({
      folder,
      directory: join(home, folder),
      manifest: JSON.parse(readFileSync(join(home, folder, "package.json"), "utf8"))
    }))
}

/** Those that are published. */
export const publicPackages = (): ReadonlyArray<WorkspacePackage> =>
  workspacePackages().filter(({ manifest }) => manifest.private !== true)
