/**
 * A path with what the URL says now and some of it changed: `/settings?tab=users&user=usr_1`.
 * An empty text or `undefined` takes a name out.
 */
export function hrefWith(
  path: string,
  search: Record<string, string | undefined>,
  change: Record<string, string | undefined>,
): string {
  const said = Object.entries({ ...search, ...change }).filter((entry): entry is [string, string] => !!entry[1])
  const query = new URLSearchParams(said).toString()
  return query === '' ? path : `${path}?${query}`
}
