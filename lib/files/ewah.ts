/**
 * Bitmaps in git's compressed form (EWAH), as a split index has them.
 *
 * @see https://git-scm.com/docs/bitmap-format#_appendix_a_serialization_format_for_an_ewah_bitmap
 */

/** A decoded bitmap. */
export interface Bitmap {
  /** Positions of the bits that are set, ascending. */
  readonly positions: readonly number[];
  /** Offset of the first byte behind the bitmap. */
  readonly end: number;
}

const WORD_BITS = 64;

/**
 * Decodes the bitmap at an offset.
 *
 * @throws {RangeError} when it is cut short or names bits behind its own end.
 */
export function readBitmap(view: DataView, offset: number): Bitmap {
  const bitCount = view.getUint32(offset);
  const wordCount = view.getUint32(offset + 4);
  const words = offset + 8;
  const positions: number[] = [];
  let bit = 0;
  for (let at = 0; at < wordCount;) {
    // A marker: the repeated bit, how many words it fills, how many literal words follow.
    const marker = view.getBigUint64(words + 8 * at++);
    const fill = Number((marker >> 1n) & 0xffffffffn) * WORD_BITS;
    if (bit + fill > bitCount + WORD_BITS) throw new RangeError("A bitmap is longer than it says");
    if (marker & 1n) { for (let n = 0; n < fill; n++) positions.push(bit + n); }
    bit += fill;
    for (let literals = Number(marker >> 33n); literals > 0; literals--, bit += WORD_BITS) {
      const literal = view.getBigUint64(words + 8 * at++);
      for (let n = 0; n < WORD_BITS; n++) if ((literal >> BigInt(n)) & 1n) positions.push(bit + n);
    }
  }
  // The position of the last marker closes it: only a writer needs that.
  return { positions, end: words + 8 * wordCount + 4 };
}
