import { expect, test } from 'vitest'
import { signedOut } from '../../api/client'
import { colleague, rememberPassword } from './colleague'
import { rememberedKey, rememberKey } from './sourceKey'

test('what is shown once is nobody else’s: it goes with whoever signs out', () => {
  rememberPassword('grace', 'once')
  rememberKey({ id: 'key_1', actor_id: 'act_1', key: 'cs_secret' })
  expect([colleague()?.password, rememberedKey()?.key]).toEqual(['once', 'cs_secret'])
  signedOut.dispatchEvent(new Event('signed-out'))
  expect([colleague(), rememberedKey()]).toEqual([undefined, undefined])
})
