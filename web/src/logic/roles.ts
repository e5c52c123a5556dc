/** The roles there are, with what each is for. */
export const roles = [
  { value: 'viewer', label: 'viewer', about: 'sees everything but the log' },
  { value: 'operator', label: 'operator', about: 'asks for changes, imports runbooks, runs what was approved' },
  { value: 'approver', label: 'approver', about: 'votes on what others ask for' },
  { value: 'auditor', label: 'auditor', about: 'sees everything, the log too, and changes nothing' },
  { value: 'admin', label: 'admin', about: 'all of it, and people, policies, keys and settings' },
]

/** Which roles have a permission: the server's table, once it was told. It is the same for everybody. */
let held: ReadonlyMap<string, readonly string[]> = new Map()

/** Takes the server's table in, as `GET /api/v1/permissions` tells it. */
export function learnRoles(table: readonly { name: string; roles: readonly string[] }[]): void {
  held = new Map(table.map(({ name, roles: of }) => [name, of]))
}

/** What is said to somebody who lacks a permission: `Needs the role admin.` */
export function needed(permission: string): string {
  const by = held.get(permission)
  return by ? `Needs the role ${by.join(' or ')}.` : `Needs the permission ${permission}.`
}
