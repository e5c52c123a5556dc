import { expect, test } from 'vitest'
import { fileName } from './saveFile'

test.each([
  ['restart-web-1-stdout.log', 'restart-web-1-stdout.log'],
  ['../../etc/passwd', '__.._etc_passwd'],
  ['.bashrc', '_bashrc'],
  ['a b\u202egpj.exe', 'a_b_gpj.exe'],
  ['x'.repeat(300), 'x'.repeat(150)],
])('%j is saved as %j', (name, saved) => {
  expect(fileName(name)).toBe(saved)
})
