/** What was read of a file with a line of JSON each. */
export interface Lines<Item> {
  items: Item[]
  /** Whether there was more than was wanted. */
  more: boolean
}

/**
 * Reads a stream of lines of JSON, `most` of them, and leaves the rest unread. It fails when the
 * stream breaks off within a line: then the list is not whole.
 */
export async function readLines<Item>(stream: ReadableStream<Uint8Array>, most: number): Promise<Lines<Item>> {
  const reader = stream.getReader()
  const decoder = new TextDecoder()
  const items: Item[] = []
  let rest = ''
  for (;;) {
    const { done, value } = await reader.read()
    rest += done ? decoder.decode() : decoder.decode(value, { stream: true })
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (line.trim() === '') continue
      if (items.length >= most) {
        await reader.cancel().catch(() => undefined)
        return { items, more: true }
      }
      items.push(JSON.parse(line) as Item)
    }
    if (!done) continue
    if (rest.trim() !== '') throw new Error('the list broke off before its end')
    return { items, more: false }
  }
}
