import { expect, test } from 'vitest'
import { linkOf, tokenIn, tokenOf } from './invitation'

const TOKEN = 'csi_0190a6c27b5e70008000000000000001_Ab-9_z'

test('a link carries its token where no server sees it', () => {
  const link = new URL(linkOf('https://ops.example.com', TOKEN))
  expect(link.pathname + link.search).toBe('/invitation')
  expect(tokenIn(link.hash)).toBe(TOKEN)
})

test.each([
  [TOKEN, TOKEN],
  [` ${TOKEN}\n`, TOKEN],
  [`https://ops.example.com/invitation#${TOKEN}`, TOKEN],
  ['https://ops.example.com/invitation', undefined],
  ['cs_0190a6c27b5e', undefined],
  [`${TOKEN}<script>`, undefined],
  ['', undefined],
])('pasted: %j', (pasted, token) => {
  expect(tokenOf(pasted)).toBe(token)
})
