import { readFileSync } from "node:fs"
import { gunzipSync } from "node:zlib"

/** Stripe's published OpenAPI 3.0 document as JSON text; its source is in `fixtures/README.md`. */
export const stripeDocument = (): string =>
  gunzipSync(readFileSync(new URL("../fixtures/stripe.openapi.json.gz", import.meta.url))).toString("utf8")
