/** Freeing memory by hand. */

/**
 * Frees a chunk that nobody reads again, if it has a buffer to itself: V8 counts up to 64 MiB of
 * garbage outside its heap before it collects any.
 */
export function release({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0);
}
