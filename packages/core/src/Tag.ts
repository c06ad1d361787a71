/**
 * The tag made of a display name: lower case letters of ASCII and digits, punctuation dropped, spaces
 * to hyphens (`E-commerce Platform` → `ecommerce-platform`), at most 100 characters; empty if nothing
 * is left.
 */
export const tagFrom = (name: string): string =>
  name
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9\s]/g, "")
    .trim()
    .replace(/\s+/g, "-")
    .slice(0, 100)
    .replace(/-+$/, "")

/** What two spellings of an action's tag have in common: `_`, `-` and case make no difference. */
export const looseTag = (tag: string): string => tag.toLowerCase().replaceAll("_", "-")
