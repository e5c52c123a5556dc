/** As much of a problem as is told above a form. */
interface Told {
  title: string
  detail: string
  errors: { path: string; message: string }[]
}

/**
 * What is to be said above a form of a problem, where some `fields` (JSON pointers) say themselves what was wrong with
 * them: nothing where they say it all, and whatever nothing else would say.
 */
export function told({ title, detail, errors }: Told, fields: string[]): string[] {
  const others = errors.filter((fault) => !fields.includes(fault.path))
  if (errors.length > 0 && others.length === 0) return []
  return [...new Set([detail || title, ...others.map(({ path, message }) => `${path} ${message}`)])]
}
