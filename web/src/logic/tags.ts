/** Labels as people write them. */
export interface Tags {
  tags: Record<string, string>
  /** What is no label. */
  wrong: string[]
}

/** Labels as a list of `name=value`, by name. */
export function writtenTags(tags: Record<string, string> | undefined): string[] {
  return Object.entries(tags ?? {}).sort(([a], [b]) => a.localeCompare(b)).map(([name, value]) => `${name}=${value}`)
}

/** Reads `name=value`; the value may be empty and may hold `=`. Of a name that comes twice the last counts. */
export function readTags(written: string[]): Tags {
  const found: [string, string][] = []
  const wrong: string[] = []
  for (const text of written) {
    const at = text.indexOf('=')
    const name = text.slice(0, at).trim()
    if (at < 0 || name === '') wrong.push(text)
    else found.push([name, text.slice(at + 1).trim()])
  }
  return { tags: Object.fromEntries(found), wrong }
}
