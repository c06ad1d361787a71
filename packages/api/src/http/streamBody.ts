import { pipeline, type Readable } from "node:stream"
import { contentEncodings, decoderStream, type ResponseHeaders } from "./decodeBody.ts"

/**
 * The answer as a Node stream, decompressed. Reading slowly slows the sender down; destroying it, or
 * leaving a `for await`, closes the connection.
 */
export const decodedStream = (
  body: Readable,
  headers: ResponseHeaders,
  whenRead: (() => void) | undefined
): Readable => {
  let stream = body
  for (const encoding of contentEncodings(headers).toReversed()) {
    const decoder = decoderStream(encoding)
    if (decoder === undefined) break
    // Errors of either end reach the reader through the decoder; the callback only keeps them handled.
    stream = pipeline(stream, decoder, () => undefined) as unknown as Readable
  }
  // Whoever reads sees the error; a stream that nobody reads must not end the process with it.
  stream.on("error", () => undefined)
  if (whenRead !== undefined) stream.once("close", whenRead)
  return stream
}
