import { expect, test } from 'vitest'
import { needed } from './roles'

test.each([
  ['policy.write', 'Needs the role admin.'],
  ['break_glass.use', 'Needs the role approver or admin.'],
  ['something.new', 'Needs the permission something.new.'],
])('who lacks %s is told', (permission, said) => {
  expect(needed(permission)).toBe(said)
})
