const plain = (_: string, value: unknown): unknown => (typeof value === "bigint" ? String(value) : value)

/** JSON of data; a `bigint`, which JSON does not know, becomes a string. */
export const jsonText = (value: unknown): string => JSON.stringify(value, plain) ?? ""
