import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Packages } from "./suite.ts"

/** Peers live outside the workspace, installed once per machine, without their install scripts. */
const home = join(tmpdir(), "ductape-bench-peers")

/** The folder that `packages` were installed into, or why they could not be. */
export const installPeer = (
  packages: Packages,
  build?: (folder: string) => void
): { readonly folder: string } | { readonly problem: string } => {
  const key = JSON.stringify(Object.entries(packages).sort())
  const folder = join(home, createHash("sha256").update(key).digest("hex").slice(0, 16))
  if (existsSync(folder)) return { folder }
  mkdirSync(home, { recursive: true })
  const draft = mkdtempSync(join(home, "draft-"))
  writeFileSync(
    join(draft, "package.json"),
    JSON.stringify({ private: true, type: "module", dependencies: packages })
  )
  // Imports resolve from where this file is.
  writeFileSync(join(draft, "load.js"), "export default (name) => import(name)\n")
  const npm = process.platform === "win32" ? "npm.cmd" : "npm"
  const done = spawnSync(
    npm,
    ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
    {
      cwd: draft,
      encoding: "utf8",
      shell: process.platform === "win32",
      timeout: 300_000
    }
  )
  if (done.status !== 0) {
    rmSync(draft, { recursive: true, force: true })
    return { problem: done.stderr.trim().split("\n")[0] ?? "npm install failed" }
  }
  try {
    build?.(draft)
  } catch (cause) {
    rmSync(draft, { recursive: true, force: true })
    return { problem: cause instanceof Error ? cause.message : String(cause) }
  }
  renameSync(draft, folder)
  return { folder }
}
