/**
 * The form in which tags, environment variables and the like are looked up: `_`, `-`, spaces and case
 * make no difference (`Stripe_App`, `stripe-app`, `stripeapp`). Two things whose tags differ only in
 * these are the same thing.
 */
export const lookupName = (name: string): string => name.replace(/[_\-\s]/g, "").toLowerCase()

/**
 * The tag made of a display name: lower case, punctuation dropped, spaces to hyphens
 * (`E-commerce Platform` → `ecommerce-platform`). Letters of every script stay; a name with no letter
 * or digit gives the empty string.
 */
export const tagOf = (name: string): string =>
  name
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{M}\s_]/gu, "")
    .trim()
    .replace(/[\s_]+/g, "-")
    .replace(/^-+|-+$/g, "")
