import { joined, utf8, type Bytes } from './bytes'

/** A file for an archive. */
export interface ZipFile {
  /** Its path: ASCII letters, digits, `-`, `_`, `.`, `/`. */
  name: string
  content: Bytes
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  return value
})

/** The CRC-32 of bytes (ISO 3309), which archives name their files' contents by. */
export function crc32(bytes: Uint8Array): number {
  let sum = 0xffffffff
  for (const byte of bytes) sum = (sum >>> 8) ^ (TABLE[(sum ^ byte) & 0xff] ?? 0)
  return (sum ^ 0xffffffff) >>> 0
}

/** Numbers, the lowest byte first: `[value, bytes]`. */
function numbers(...of: [number, 2 | 4][]): Bytes {
  const bytes = new Uint8Array(of.reduce((sum, [, size]) => sum + size, 0))
  let at = 0
  for (const [value, size] of of) {
    for (let byte = 0; byte < size; byte += 1) bytes[at + byte] = Math.floor(value / 2 ** (8 * byte)) & 0xff
    at += size
  }
  return bytes
}

/** A time as archives have it: two seconds are the finest, 1980 the earliest; in UTC. */
function stamp(at: Date): [number, number] {
  const time = (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1)
  const date = (Math.max(0, at.getUTCFullYear() - 1980) << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate()
  return [time, date]
}

/**
 * An archive of files, not compressed (PKWARE APPNOTE 6.3, without the extensions for archives of
 * 4 GiB or 65,536 files).
 */
export function zip(files: readonly ZipFile[], at: Date): Bytes {
  const [time, date] = stamp(at)
  const parts: Bytes[] = []
  const directory: Bytes[] = []
  let offset = 0
  for (const { name, content } of files) {
    const title = utf8(name)
    // Version 2.0, no flags, stored; then when, what, how long, what it is called.
    const common = numbers(
      [20, 2], [0, 2], [0, 2], [time, 2], [date, 2], [crc32(content), 4], [content.length, 4], [content.length, 4],
      [title.length, 2], [0, 2],
    )
    const local = joined(numbers([0x04034b50, 4]), common, title, content)
    // No comment, on the first disk, no attributes, and where it is.
    const rest = numbers([0, 2], [0, 2], [0, 2], [0, 4], [offset, 4])
    directory.push(joined(numbers([0x02014b50, 4], [20, 2]), common, rest, title))
    parts.push(local)
    offset += local.length
  }
  const size = directory.reduce((sum, entry) => sum + entry.length, 0)
  const count = files.length
  const end = numbers([0x06054b50, 4], [0, 2], [0, 2], [count, 2], [count, 2], [size, 4], [offset, 4], [0, 2])
  return joined(...parts, ...directory, end)
}
