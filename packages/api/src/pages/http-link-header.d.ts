declare module "http-link-header" {
  interface Reference {
    readonly uri: string
    readonly rel: string
  }
  export default class LinkHeader {
    static parse(header: string): LinkHeader
    rel(value: string): ReadonlyArray<Reference>
  }
}
