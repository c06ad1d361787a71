import { describe } from "vitest"
import type { ServiceName, Services } from "./startServices.ts"

/** Where the global set-up leaves the URLs: worker and child processes inherit it. */
export const servicesVariable = "DUCTAPE_TEST_SERVICES"

/** Whether a missing service fails the run, as in CI, instead of skipping a suite. */
export const servicesRequired = (): boolean => process.env["DUCTAPE_REQUIRE_SERVICES"] === "1"

/** The services started once for the whole test run. */
export const services = (): Services => {
  const left = process.env[servicesVariable]
  return left === undefined ? { missing: {} } : JSON.parse(left)
}

/**
 * `describe` for a suite that needs a service. Without it the suite is skipped, its title saying why and
 * how to get it, or fails when `DUCTAPE_REQUIRE_SERVICES=1`. Name the service literally: the global
 * set-up reads test files to see what to start.
 */
export const describeService = (name: ServiceName, title: string, body: (url: string) => void): void => {
  const known = services()
  const url = known[name]
  if (url !== undefined) return void describe(title, () => body(url))
  const reason = known.missing[name] ?? "not started for this run"
  if (servicesRequired()) throw new Error(`${title} needs ${name}: ${reason}`)
  // Skipped only where the service cannot be had, so that tests pass on a machine with Node and npm alone;
  // CI requires every service and throws above. The body still declares its tests, for the skip to be shown.
  describe.skip(`${title} (skipped: ${name}: ${reason})`, () => body("service://missing"))
}
