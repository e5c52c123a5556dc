/** A key in groups of four, as people type it: `ABCD EFGH IJ`. */
export function grouped(key: string): string {
  return key.match(/.{1,4}/g)?.join(' ') ?? ''
}
