import { expect, test } from 'vitest'
import { learnRoles, needed } from './roles'

test('who lacks a permission is told which roles have it, as the server says', () => {
  expect(needed('policy.write')).toBe('Needs the permission policy.write.')
  learnRoles([
    { name: 'policy.write', roles: ['admin'] }, { name: 'break_glass.use', roles: ['approver', 'admin'] },
  ])
  expect(needed('policy.write')).toBe('Needs the role admin.')
  expect(needed('break_glass.use')).toBe('Needs the role approver or admin.')
  expect(needed('something.new')).toBe('Needs the permission something.new.')
})
