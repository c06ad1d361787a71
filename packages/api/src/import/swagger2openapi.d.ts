declare module "swagger2openapi" {
  interface Options {
    readonly patch?: boolean
    readonly text?: string
    readonly anchors?: boolean
    readonly fetch?: () => Promise<never>
    readonly warnOnly?: boolean
    readonly resolve?: boolean
    readonly resolveInternal?: boolean
    readonly rbname?: string
    readonly targetVersion?: string
  }
  const converter: {
    readonly convertObj: (document: unknown, options: Options) => Promise<{ readonly openapi: unknown }>
  }
  export default converter
}
