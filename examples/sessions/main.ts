// A server with sign-in, refresh and sign-out, on a workspace in memory.
import Ductape, { createWorkspace } from "@ductape/sdk"
import { createSessionConfig } from "./auth.ts"
import { createApp } from "./expressApp.ts"

const store = "memory://sessions-example"
const { accessKey } = await createWorkspace({ name: "Sessions", store })
const ductape = new Ductape({ accessKey, store, product: "shop", env: "dev" })
await ductape.product.create({ name: "Shop" })
await createSessionConfig(ductape)

const app = createApp(ductape, async (email, password) =>
  email === "ada@example.com" && password === "correct horse" ? { id: "ada", role: "admin" } : undefined
)
app.listen(3000, () => console.log("http://localhost:3000"))
