import { existsSync, readFileSync } from "node:fs"
import { dirname, resolve } from "node:path"
import type { TestProject } from "vitest/node"
import { embeddedTemplate, templateVariable } from "./embeddedTemplate.ts"
import { servicesRequired, servicesVariable } from "./services.ts"
import { type ServiceName, serviceNames, startServices } from "./startServices.ts"

/** The services that a test file names, itself or through the files that it imports by a relative path. */
export const neededServices = (files: Iterable<string>): Set<ServiceName> => {
  const needed = new Set<ServiceName>()
  const queue = [...files]
  const seen = new Set<string>(queue)
  for (const file of queue) {
    const text = readFileSync(file, "utf8")
    for (const [, name] of text.matchAll(/describeService\(\s*(?:["'](\w+)["'])?/g))
      for (const service of serviceNames) if (name === undefined || name === service) needed.add(service)
    for (const service of serviceNames)
      if (/\bservices\(\)/.test(text) && new RegExp(`\\b${service}\\b`).test(text)) needed.add(service)
    for (const [, path] of text.matchAll(/from\s+["'](\.[^"']+\.ts)["']/g)) {
      const imported = resolve(dirname(file), path ?? "")
      if (/[\\/]test[\\/]/.test(imported) && !seen.has(imported) && existsSync(imported)) {
        seen.add(imported)
        queue.push(imported)
      }
    }
  }
  return needed
}

/** Starts what the selected test files need, once for the run. */
export default async ({ vitest }: TestProject): Promise<(() => Promise<void>) | undefined> => {
  // Not in the public types; without it everything that any test file needs is started.
  const pattern: unknown = Reflect.get(vitest, "filenamePattern")
  const selected = await vitest.globTestSpecifications(Array.isArray(pattern) ? pattern : [])
  const files = selected.map(({ moduleId }) => moduleId)
  if (files.some((file) => readFileSync(file, "utf8").includes("pglite")))
    process.env[templateVariable] ??= await embeddedTemplate()
  const needed = neededServices(files)
  if (needed.size === 0) return undefined
  const running = await startServices(needed)
  for (const line of running.report) process.stderr.write(`${line}\n`)
  const missing = Object.keys(running.services.missing)
  if (servicesRequired() && missing.length > 0) {
    await running.stop()
    throw new Error(`DUCTAPE_REQUIRE_SERVICES=1, and these are missing: ${missing.join(", ")}`)
  }
  process.env[servicesVariable] = JSON.stringify(running.services)
  return running.stop
}
