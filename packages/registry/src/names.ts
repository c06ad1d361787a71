/** Tags of products, apps and connections, and of what belongs to a product. */
export const tagPattern = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$/
export const tagRule =
  "must start with a letter or digit, then letters, digits, '_', '.', ':', '-', at most 128"

/** Tags of actions come from other people's documents: letters of any script. */
export const actionTagPattern = /^[\p{L}\p{N}_][\p{L}\p{M}\p{N}_.:-]{0,255}$/u
export const actionTagRule =
  "must start with a letter, digit or '_', then letters, digits, '_', '.', ':', '-', at most 256"

export const slugPattern = /^[a-z][a-z0-9_-]{1,31}$/
export const slugRule = "must be 2 to 32 of a-z, 0-9, '_', '-', starting with a letter"

export const secretKeyPattern = /^[A-Za-z_][A-Za-z0-9_.-]{0,127}$/
export const secretKeyRule =
  "must be 1 to 128 of letters, digits, '_', '.', '-', starting with a letter or '_'"

/** Keys of variables and constants, tags of auth definitions: anything that can be printed. */
export const memberKeyPattern = /^[^\p{Cc}\p{Cs}]{1,256}$/u
export const memberKeyRule = "must have 1 to 256 characters without control characters"
