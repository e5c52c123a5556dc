import type { Field } from '../../logic/fields'
import { roles } from '../../logic/roles'

/** What somebody may do, by roles to be ticked. */
export const roleField: Field = {
  at: 'roles', label: 'Roles', kind: 'choices', required: true,
  options: roles.map(({ value, about }) => ({ value, label: `${value}: ${about}` })),
  help: 'Nobody gives away what they may not do themselves.',
}
