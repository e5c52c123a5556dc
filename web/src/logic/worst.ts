/** What is open on a resource. */
export interface Worst {
  severity: string
  /** How many; nothing where more are open than were read. */
  count: number | undefined
}

interface Finding {
  resource_id?: string | null
  severity: string
}

/**
 * What is open by resource, of findings from the worst on. Where there are `more` than these, the worst of a resource
 * among them is its worst, but how many it has nobody knows.
 */
export function worstOf(findings: Finding[], more: boolean): Map<string, Worst> {
  const worst = new Map<string, Worst>()
  for (const { resource_id, severity } of findings) {
    if (!resource_id) continue
    const known = worst.get(resource_id)
    if (!known) worst.set(resource_id, { severity, count: more ? undefined : 1 })
    else if (known.count !== undefined) known.count += 1
  }
  return worst
}

/** The same in words: `2 open findings, the worst high`. */
export const worstSaid = ({ severity, count }: Worst): string =>
  count === undefined ? `open findings, the worst ${severity}`
    : `${count.toLocaleString('en')} open ${count === 1 ? 'finding' : 'findings'}, the worst ${severity}`
