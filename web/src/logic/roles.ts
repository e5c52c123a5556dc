/** The roles there are, with what each is for. */
export const roles = [
  { value: 'viewer', label: 'viewer', about: 'sees everything but the log' },
  { value: 'operator', label: 'operator', about: 'asks for changes, imports runbooks, runs what was approved' },
  { value: 'approver', label: 'approver', about: 'votes on what others ask for' },
  { value: 'auditor', label: 'auditor', about: 'sees everything, the log too, and changes nothing' },
  { value: 'admin', label: 'admin', about: 'all of it, and people, policies, keys and settings' },
]

/** Which roles have a permission, as the server's table says (`api::permission`). */
const HELD: Record<string, string[]> = {
  'identity.manage': ['admin'],
  'policy.write': ['admin'],
  'estate.write': ['admin'],
  'credentials.write': ['admin'],
  'alert_rules.write': ['admin'],
  'settings.write': ['admin'],
  'keys.read': ['admin', 'auditor'],
  'keys.rotate': ['admin'],
  'retention.read': ['admin', 'auditor'],
  'retention.write': ['admin'],
  'audit.read': ['admin', 'auditor'],
  'intents.propose': ['operator', 'admin'],
  'break_glass.use': ['approver', 'admin'],
  'break_glass.review': ['approver', 'admin'],
}

/** What is said to somebody who lacks a permission: `Needs the role admin.` */
export function needed(permission: string): string {
  const held = HELD[permission]
  return held ? `Needs the role ${held.join(' or ')}.` : `Needs the permission ${permission}.`
}
